{#- Where features that are compared with the average stand in prediction_features(). -#}
{%- set places = {'log_recency_days': 1, 'log_frequency': 3, 'log_monetary': 4, 'log_orders_a_day': 7} -%}
{%- set term = ['place', 'lowest', 'highest', 'mean', 'scale', 'coefficient'] -%}
{#- How many orders make a mean gap that is called usual. -#}
{%- set orders_of_a_habit = 3 -%}
with weights as (
    select
        feature,
        lowest,
        highest,
        mean,
        scale,
        coefficient,
        row_number() over (order by feature_number asc) as place
    from {{ ref('prediction_weights') }}
    where
        target = 'churn'
        and part = 'logistic_regression'
        and mean is not null
),

themes as (
    select * from {{ ref('prediction_themes') }}
),

reasons as (
    select * from {{ ref('prediction_reasons') }}
),

observed as (
    select * from {{ ref('int_customers_observed') }}
    where is_current
),

{# The customer's own mean gap, in whole days. #}
customers as (
    select
        customer_id,
        recency_days,
        tenure_days,
        frequency,
        monetary,
        case
            when frequency >= {{ orders_of_a_habit }}
                then nullif(cast(round((tenure_days - recency_days) / cast(frequency - 1 as double)) as integer), 0)
        end as gap_days,
        {{ prediction_features('observed') }} as features
    from observed
),

{# Features that say nearly the same share what they contribute: one's coefficient can have a sign that the others make
   good. #}
terms as (
    select
        themes.theme,
        {{ ordered_list(struct_of(dict(zip(term, term))), 'weights.place') }} as terms
    from weights
    inner join themes on weights.feature = themes.feature
    group by themes.theme
    union all
    select
        'all' as theme,
        {{ ordered_list(struct_of(dict(zip(term, term))), 'weights.place') }} as terms
    from weights
    having count(*) > 0
),

{# An average customer, in the features that customers are compared in. #}
average as (
    select
        {%- for feature in places %}
        max(mean) filter (where feature = '{{ feature }}') as {{ feature }},
        {%- endfor %}
        count(*) as features
    from weights
),

compared as (
    select
        {%- for feature, place in places.items() %}
        {{ at_place('customers.features', place) }} - average.{{ feature }} as {{ feature }},
        {%- endfor %}
        customers.customer_id
    from customers
    cross join average
),

{# How much each theme moves the logit, from where the average customer is. #}
contributed as (
    select
        customers.customer_id,
        terms.theme,
        {{ weighted_sum('terms.terms', 'customers.features') }} as contribution
    from customers
    cross join terms
),

directed as (
    select
        customer_id,
        contribution > 0 as is_leaving
    from contributed
    where theme = 'all'
),

{# A reason is given only where it says what people expect: long ago, seldom and little are reasons to stay away. #}
judged as (
    select
        contributed.customer_id,
        contributed.theme,
        abs(contributed.contribution) as contribution,
        case when directed.is_leaving then 'leave' else 'stay' end as direction,
        case
            when contributed.theme = 'recency'
                then case
                    when
                        customers.recency_days <> customers.gap_days
                        and (customers.recency_days > customers.gap_days) = directed.is_leaving
                        then 'gap'
                    when (compared.log_recency_days > 0) = directed.is_leaving
                        then case when customers.frequency = 1 then 'once' else 'plain' end
                end
            when contributed.theme = 'habit' and directed.is_leaving
                then case
                    when customers.frequency = 1 then 'once'
                    when compared.log_orders_a_day < 0 then 'plain'
                end
            when contributed.theme = 'habit'
                then case
                    when customers.frequency > 1 and (compared.log_frequency > 0 or compared.log_orders_a_day > 0) then 'plain'
                end
            when (compared.log_monetary < 0) = directed.is_leaving then 'plain'
        end as kind
    from contributed
    inner join customers on contributed.customer_id = customers.customer_id
    inner join compared on contributed.customer_id = compared.customer_id
    inner join directed on contributed.customer_id = directed.customer_id
    where
        contributed.theme <> 'all'
        and (contributed.contribution > 0) = directed.is_leaving
),

ranked as (
    select
        customer_id,
        theme,
        direction,
        kind,
        row_number() over (
            partition by customer_id
            order by contribution desc, theme asc
        ) as place
    from judged
    where kind is not null
),

{# The numbers of the customer in the places of the text. #}
worded as (
    select
        ranked.customer_id,
        ranked.place,
        {{ filled_in('reasons.reason', {
            'recency': counted('customers.recency_days', 'day'),
            'gap': counted('customers.gap_days', 'day'),
            'tenure': counted('customers.tenure_days', 'day'),
            'orders': counted('customers.frequency', 'order'),
            'money': 'cast(customers.monetary as varchar)',
        }) }} as reason
    from ranked
    inner join customers on ranked.customer_id = customers.customer_id
    inner join reasons
        on
            ranked.theme = reasons.theme
            and ranked.direction = reasons.direction
            and ranked.kind = reasons.kind
),

final as (
    select
        customer_id,
        max(reason) filter (where place = 1) as churn_reason_1,
        max(reason) filter (where place = 2) as churn_reason_2
    from worded
    group by customer_id
)

select * from final
