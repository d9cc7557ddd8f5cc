"""What is wrong in a playbook is said in one line, before anything is built."""

import re
from datetime import date, timedelta

import pytest
from conftest import PROJECT, build, copy_project

from files.playbook import check_actions, check_claims, check_playbook

HEADER = (
    "playbook,segment_code,segment_name,segment_order,colour,action,outlier_features,highest_in"
)
FEATURES = ["frequency", "monetary", "recency_days"]
GOOD = [
    "tiers,high,High,1,#0072B2,Keep",
    "tiers,low,Low,2,#D55E00,",
    "other,high,High,1,#0072B2,Keep",
]


def write(path, rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
    return path


def test_playbooks_may_share_what_segments_of_one_may_not(tmp_path):
    check_playbook(write(tmp_path / "playbook.csv", GOOD), FEATURES)
    check_playbook(PROJECT / "seeds" / "segment_playbook.csv", [*FEATURES, "total_spend"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("tiers,high,Best,3,#000000,", "lines 2 and 5 have the same segment_code, high"),
        ("tiers,mid,High,3,#000000,", "lines 2 and 5 have the same segment_name, High"),
        ("tiers,mid, low ,3,#000000,", "lines 3 and 5 have the same segment_name, low"),
        ("tiers,mid,Mid,2,#000000,", "lines 3 and 5 have the same segment_order, 2"),
        ("tiers,mid,Mid,3,#d55e00,", "lines 3 and 5 have the same colour, #d55e00"),
    ],
)
def test_segments_of_a_playbook_differ_in_all_that_tells_them_apart(tmp_path, row, message):
    with pytest.raises(ValueError) as raised:
        check_playbook(write(tmp_path / "playbook.csv", [*GOOD, row]), FEATURES)
    assert str(raised.value) == f"playbook tiers: {message}; each segment needs its own"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",mid,Mid,3,#000000,", "line 5: playbook is empty"),
        ("tiers,,Mid,3,#000000,", "line 5: segment_code is empty"),
        ("tiers,mid, ,3,#000000,", "line 5: segment_name is empty"),
        ("tiers,mid", "line 5: segment_name is empty"),
        ("tiers,mid,Mid,,#000000,", "line 5: segment_order is empty"),
        ("tiers,mid,Mid,0,#000000,", "line 5: segment_order must be a whole number from 1, not 0"),
        (
            "tiers,mid,Mid,1.5,#000000,",
            "line 5: segment_order must be a whole number from 1, not 1.5",
        ),
        ("tiers,mid,Mid,3,red,", "line 5: colour must be a colour such as #0072B2, not red"),
        ("tiers,mid,Mid,3,#00000,", "line 5: colour must be a colour such as #0072B2, not #00000"),
        ("tiers,mid,Mid,3,,", "line 5: colour is empty"),
        # A record of two lines is named by its last.
        (
            'tiers,mid,"Mid\nvalue",3,red,',
            "line 6: colour must be a colour such as #0072B2, not red",
        ),
        (
            "tiers,mid,Mid,3,#000000,,,spend",
            "line 5: there is no feature spend",
        ),
        (
            "tiers,mid,Mid,3,#000000,,monetary,monetary",
            "line 5: a segment of outliers can't have highest_in",
        ),
        (
            "tiers,mid,Mid,3,#000000,,,monetary\ntiers,top,Top,4,#000001,,,monetary_365d",
            "playbook tiers: lines 5 and 6 have highest_in; one segment can",
        ),
    ],
)
def test_what_cannot_name_a_segment_is_refused_with_its_line(tmp_path, row, message):
    with pytest.raises(ValueError) as raised:
        check_playbook(write(tmp_path / "playbook.csv", [*GOOD, row]), FEATURES)
    assert str(raised.value) == message


def test_another_delimiter_is_told_by_its_header(tmp_path):
    rows = [row.replace(",", ";") for row in GOOD]
    with pytest.raises(ValueError, match=r"no column playbook, .*; there are playbook;segment_"):
        check_playbook(write(tmp_path / "playbook.csv", rows, HEADER.replace(",", ";")), [])
    with pytest.raises(ValueError, match="no column playbook"):
        check_playbook(write(tmp_path / "playbook.csv", [], ""), [])


CLAIMS = "playbook,segment_code,feature,statistic,comparison,number,times"
PLAIN = "fallback,plain,Plain,9,#999999,"


def claim(tmp_path, *claims, segments=(*GOOD, PLAIN)):
    check_claims(
        write(tmp_path / "claims.csv", claims, CLAIMS),
        write(tmp_path / "playbook.csv", segments),
        FEATURES,
    )


def test_claims_of_segments_and_features_that_there_are_pass(tmp_path):
    claim(tmp_path)
    claim(tmp_path, segments=GOOD)
    claim(
        tmp_path,
        "tiers,high,frequency,median,>=,2,",
        "tiers,low,monetary_365d,mean,<,0.5,shop_mean",
        "other,high,monetary,mean,>,-1e3,shop_median",
    )
    campaign = ["income", "total_spend", "web_purchases", "deal_purchases"]
    seeds = PROJECT / "seeds"
    check_claims(
        seeds / "segment_claims.csv",
        seeds / "segment_playbook.csv",
        ["recency_days", "frequency", "monetary", *campaign],
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "teirs,high,frequency,mean,>,2,",
            "line 3: there is no playbook teirs. Did you mean tiers?",
        ),
        ("tiers,best,frequency,mean,>,2,", "line 3: there is no segment of tiers best"),
        (
            "tiers,high,frequencies,mean,>,2,",
            "line 3: there is no feature frequencies. Did you mean frequency?",
        ),
        ("tiers,high,tenure_90d,mean,>,2,", "line 3: there is no feature tenure_90d"),
        ("tiers,high,frequency,mode,>,2,", "line 3: statistic must be one of mean, median"),
        ("tiers,high,frequency,mean,=>,2,", "line 3: comparison must be one of >=, >, <=, <"),
        ("tiers,high,frequency,mean,>,two,", "line 3: number must be a number, not two"),
        ("tiers,high,frequency,mean,>,nan,", "line 3: number must be a number, not nan"),
        ("tiers,high,frequency,mean,>,,", "line 3: number must be a number, not "),
        (
            "tiers,high,frequency,mean,>,1,mean",
            "line 3: times must be one of empty, shop_mean, shop_median, shop_gap",
        ),
        (
            "tiers,high,frequency,mean,>,1,shop_gap",
            "line 3: shop_gap is in days, and frequency is not",
        ),
        (
            "fallback,plain,frequency,mean,>,1,",
            "the playbook fallback of segment_playbook.csv has no segment without claims, for "
            "customers for whom nothing else is true",
        ),
    ],
)
def test_a_claim_that_could_not_be_checked_is_refused_with_its_line(tmp_path, row, message):
    with pytest.raises(ValueError) as raised:
        claim(tmp_path, "tiers,high,frequency,median,>=,2,", row)
    assert str(raised.value) == message


def test_claims_need_a_playbook_to_fall_back_on(tmp_path):
    with pytest.raises(
        ValueError, match=r"fallback of segment_playbook\.csv has no segment without"
    ):
        claim(tmp_path, "tiers,high,frequency,median,>=,2,", segments=GOOD)


@pytest.mark.parametrize(
    ("row", "same"),
    [
        ("fallback,high,Plain,9,#999999,", "segment_code, high"),
        ("fallback,plain,high,9,#999999,", "segment_name, High"),
        ("fallback,plain,Plain,1,#999999,", "segment_order, 1"),
        ("fallback,plain,Plain,9,#0072b2,", "colour, #0072B2"),
    ],
)
def test_a_playbook_with_claims_differs_from_the_fallbacks(tmp_path, row, same):
    segments = [*GOOD, row]
    with pytest.raises(ValueError) as raised:
        claim(tmp_path, "tiers,low,frequency,median,>=,2,", segments=segments)
    assert str(raised.value) == (
        f"segment_playbook.csv: lines 2 and 5 have the same {same}; since tiers has claims, its "
        "segments must differ from those of the playbook fallback"
    )
    # A playbook that claims nothing never falls back.
    claim(
        tmp_path,
        "tiers,low,frequency,median,>=,2,",
        segments=[
            "other,high,High,1,#0072B2,",
            "tiers,low,Low,2,#D55E00,",
            row.replace(",1,", ",9,"),
        ],
    )


ACTIONS = (
    "playbook,segment_code,action_order,feature,statistic,comparison,number,times,"
    "key_characteristics,action,channel,offer"
)


def act(tmp_path, *actions):
    check_actions(
        write(tmp_path / "actions.csv", actions, ACTIONS),
        write(tmp_path / "playbook.csv", GOOD),
        FEATURES,
    )


def test_other_actions_that_can_be_true_pass(tmp_path):
    act(tmp_path)
    act(
        tmp_path,
        "tiers,high,1,recency_days,median,>,4.4,shop_gap,Away,Win back,E-mail,None",
        "tiers,high,2,frequency,mean,>=,1.5,shop_mean,,,,Credit",
        "tiers,low,1,frequency,median,<,2,,,Thank them",
        "other,high,1,monetary,median,>,10,,Spend",
    )
    seeds = PROJECT / "seeds"
    check_actions(seeds / "segment_actions.csv", seeds / "segment_playbook.csv", FEATURES)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "teirs,high,1,frequency,mean,>,2,,,Do",
            "line 3: there is no playbook teirs. Did you mean ",
        ),
        ("tiers,best,1,frequency,mean,>,2,,,Do", "line 3: there is no segment of tiers best"),
        ("tiers,low,0,frequency,mean,>,2,,,Do", "line 3: action_order must be a whole number from"),
        ("tiers,high,1,frequency,mean,>,2,,,Do", "lines 2 and 3 have the same action_order, 1, of"),
        ("tiers,low,1,orders,mean,>,2,,,Do", "line 3: there is no feature orders"),
        ("tiers,low,1,monetary_90d,mean,>,2,,,Do", "line 3: there is no feature monetary_90d"),
        ("tiers,low,1,frequency,mode,>,2,,,Do", "line 3: statistic must be one of mean, median"),
        ("tiers,low,1,frequency,mean,>,,,,Do", "line 3: number must be a number, not "),
        (
            "tiers,low,1,frequency,mean,>,2,shop_median,,Do",
            "line 3: times must be one of empty, shop_mean, shop_gap",
        ),
        ("tiers,low,1,monetary,mean,>,2,shop_gap,,Do", "line 3: shop_gap is in days, and monetary"),
        (
            "tiers,low,1,frequency,mean,>,2,,,,, ",
            "line 3: one of key_characteristics, action, channel, offer must be there",
        ),
    ],
)
def test_an_action_that_could_not_be_taken_is_refused_with_its_line(tmp_path, row, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        act(tmp_path, "tiers,high,1,frequency,median,>=,2,,,Do", row)


def test_a_build_with_a_claim_about_an_unknown_feature_does_not_begin(tmp_path):
    project = copy_project(tmp_path)
    seed = project / "seeds" / "segment_claims.csv"
    seed.write_text(
        seed.read_text().replace("high_value,frequency,mean", "high_value,orders,mean", 1)
    )
    ran = build(tmp_path, project=project)
    assert ran.code != 0
    assert ran.errors == "error: seeds/segment_claims.csv: line 3: there is no feature orders\n"
    assert "reading invoices" not in ran.output


def test_nobody_is_called_loyal_where_everybody_bought_once(tmp_path):
    lines = ["InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID"]
    for number in range(120):
        day = date(2023, 1, 2) + timedelta(days=number * 7 % 330)
        lines.append(f"{number},P1,1,{day} 10:00:00,{5 + number * 37 % 900},{20_000 + number}")
    path = tmp_path / "once.csv"
    path.write_text("\n".join(lines) + "\n")
    built = build(tmp_path / "built", invoices=path, report=True)
    assert built.code == 0, built.errors
    table, warnings = built.output.split("Warning: ", 1)
    assert "reward the next order" not in table
    assert "Frequent & Loyal" not in table
    assert re.search(
        "lifecycle: .* are not called (Frequent & Loyal|High-Value) Customers, because their "
        "median frequency is 1, and the name needs at least 2",
        warnings,
    )
    segments = built.rows(
        "select segment_code, customers, clusters from marts.segments "
        "where segmentation = 'lifecycle' order by segment_order"
    )
    used = {code for code, customers, _ in segments if customers}
    # Names that nobody has have no row.
    assert not {"high_value", "frequent_loyal", "lapsing"} & {code for code, *_ in segments}
    assert {"recent_bigger", "earlier_bigger"} & used
    assert all(clusters for *_, clusters in segments)
    assert sum(customers for _, customers, _ in segments) == 120
    withheld = dict(built.rows("select segmentation, names_withheld from marts.refit_decisions"))
    assert all(withheld.values())
    # The plan on the page is for whom there is.
    assert "reward the next order" not in built.report.read_text(encoding="utf-8")
