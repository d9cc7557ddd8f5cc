"""The page's sections, in their order. A new one is an analysis and a function."""

from report import campaign, features, lines, movement, predictions, responses, sales, segments
from report.figures import Section

SECTIONS = [
    Section(
        "Customers and revenue",
        segments.customers_and_revenue,
        ("segments_in_use",),
        per_segmentation=True,
    ),
    Section(
        "Revenue by month", sales.revenue_by_month, ("revenue_by_month",), per_segmentation=True
    ),
    Section(
        "Spread within segments",
        segments.spread_within_segments,
        ("spread_within_segments", "features_in_words"),
        per_segmentation=True,
    ),
    Section(
        "Number of clusters",
        segments.number_of_clusters,
        ("numbers_of_clusters_tried",),
        per_segmentation=True,
    ),
    Section(
        "Customers on a map",
        segments.customers_on_a_map,
        ("customers_sampled",),
        per_segmentation=True,
    ),
    Section("Who moves", movement.moves, ("moves_between_month_ends",), per_segmentation=True),
    Section("Sizes over time", movement.sizes, ("sizes_over_time",), per_segmentation=True),
    Section("Who comes back", sales.who_comes_back, ("retention_by_cohort",)),
    Section(
        "Concentration of revenue",
        sales.concentration,
        ("concentration_of_revenue",),
    ),
    Section(
        "Distributions",
        features.distributions,
        ("distributions_of_features", "features_in_words"),
        per_segmentation=True,
    ),
    Section(
        "Correlations",
        features.correlations,
        ("correlations_of_features", "features_in_words"),
    ),
    Section("When people buy", sales.when_people_buy, ("times_of_purchase",)),
    Section(
        "Best-selling products",
        sales.best_selling_products,
        ("best_selling_products",),
    ),
    Section(
        "Bought together",
        sales.bought_together,
        ("products_bought_together",),
    ),
    Section(
        "What to expect",
        predictions.expectations,
        ("expectations_by_segment",),
        per_segmentation=True,
    ),
    Section(
        "Predictions and outcomes",
        predictions.proofs,
        ("calibration_of_customer_predictions", "scores_of_customer_predictions"),
    ),
    Section(
        "Predicted answers",
        responses.predictions,
        ("scores_of_predictions", "calibration_of_predictions", "profit_by_share_asked"),
    ),
    Section(
        "Customers of the campaign",
        campaign.customers_of_the_campaign,
        (
            "acceptance_of_offers",
            "spend_by_category",
            "purchases_by_channel",
            "concentration_of_purchases",
        ),
    ),
    Section("Action plan", segments.action_plan, ("segments_in_use",), per_segmentation=True),
    Section("RFM grid", segments.rfm_grid, ("rfm_grid",)),
    Section(
        "How the lines were read",
        lines.how_the_lines_were_read,
        ("readings_that_matter",),
    ),
    Section(
        "Where the lines went",
        lines.where_the_lines_went,
        ("accounting_of_lines",),
    ),
    Section("Data profile", lines.data_profile, ("profile_of_columns",)),
]
