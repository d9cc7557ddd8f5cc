"""What is wrong in a playbook is said in one line, before anything is built."""

import pytest
from conftest import PROJECT, build, copy_project

from files.playbook import check_playbook

HEADER = "playbook,segment_code,segment_name,segment_order,colour,action"
GOOD = [
    "tiers,high,High,1,#0072B2,Keep",
    "tiers,low,Low,2,#D55E00,",
    "other,high,High,1,#0072B2,Keep",
]


def write(path, rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
    return path


def test_playbooks_may_share_what_segments_of_one_may_not(tmp_path):
    check_playbook(write(tmp_path / "playbook.csv", GOOD))
    check_playbook(PROJECT / "seeds" / "segment_playbook.csv")


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
        check_playbook(write(tmp_path / "playbook.csv", [*GOOD, row]))
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
    ],
)
def test_what_cannot_name_a_segment_is_refused_with_its_line(tmp_path, row, message):
    with pytest.raises(ValueError) as raised:
        check_playbook(write(tmp_path / "playbook.csv", [*GOOD, row]))
    assert str(raised.value) == message


def test_another_delimiter_is_told_by_its_header(tmp_path):
    rows = [row.replace(",", ";") for row in GOOD]
    with pytest.raises(ValueError, match=r"no column playbook, .*; there are playbook;segment_"):
        check_playbook(write(tmp_path / "playbook.csv", rows, HEADER.replace(",", ";")))
    with pytest.raises(ValueError, match="no column playbook"):
        check_playbook(write(tmp_path / "playbook.csv", [], ""))


def test_a_build_with_two_segments_of_one_name_does_not_begin(tmp_path):
    project = copy_project(tmp_path)
    seed = project / "seeds" / "segment_playbook.csv"
    seed.write_text(seed.read_text().replace(",Occasional Buyers,", ",At-Risk Customers,"))
    ran = build(tmp_path, project=project)
    assert ran.code != 0
    assert ran.errors == (
        "error: seeds/segment_playbook.csv: playbook lifecycle: lines 4 and 5 have the same "
        "segment_name, At-Risk Customers; each segment needs its own\n"
    )
    assert "reading invoices" not in ran.output
