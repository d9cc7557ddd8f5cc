"""What is declared: segmentations, and the named segments of their playbooks."""

import difflib
import hashlib
import json
import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from segmentation.claims import Claim

# The playbook whose segments name clusters for which no other name is true.
FALLBACK = "fallback"


@dataclass(frozen=True)
class Declaration:
    """A segmentation as declared; see the var ``segmentations`` in dbt_project.yml."""

    segmentation: str
    features: tuple[str, ...]
    algorithm: str
    k: int | None
    k_min: int
    k_max: int
    n_init: int
    seed: int
    scaler: str = "standard"
    ranked: frozenset[str] = frozenset()
    winsorised: tuple[float, float] | None = None
    separated: frozenset[str] = frozenset()
    day_counts: frozenset[str] = frozenset()
    growing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Playbook:
    """The named segments of a segmentation.

    Attributes
    ----------
    prototypes : dict of str to ndarray of shape (n_features,), float64
        For each segment code, in the playbook's order, where its typical customer stands: in
        standard deviations of each transformed feature from the mean of all customers clustered;
        nan, in all segments, for a feature of which the playbook says nothing.
    outliers : dict of frozenset of str to str
        For each set of features in which customers are outliers, the code of their segment.
    claims : dict of str to list of Claim
        For each segment code, what must be true of the customers who get its name. A segment
        without claims may name anybody.
    fallbacks : list of str
        Codes of the plain segments, in the order in which they are tried where no other name is
        true. The last one has no claims. Empty where no segment has claims.
    names : dict of str to str
        What people call the segments, by code.
    best : tuple of (str, int), or None
        Code of the segment that belongs to the cluster whose customers have the highest mean of a
        feature, and the column of that feature. None where there is no such segment, or the
        segmentation does not have the feature.
    """

    prototypes: dict
    outliers: dict
    claims: dict = field(default_factory=dict)
    fallbacks: list = field(default_factory=list)
    names: dict = field(default_factory=dict)
    best: tuple | None = None

    def key(self):
        """12 hexadecimal digits, equal where segments, their places and their claims are."""
        segments = [(code, place.tolist()) for code, place in self.prototypes.items()]
        kinds = sorted((sorted(kind), code) for kind, code in self.outliers.items())
        claims = sorted((code, [str(claim) for claim in own]) for code, own in self.claims.items())
        told = [segments, kinds, claims, list(self.fallbacks), self.best]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


def read_declarations(declared):
    """Read declarations from the rows of ``int_segmentations_declared``.

    Parameters
    ----------
    declared : DataFrame
        Ordered by segmentation and feature_number.

    Returns
    -------
    list of Declaration
    """
    declarations = []
    for segmentation, rows in declared.groupby("segmentation", sort=False):
        first = rows.iloc[0]
        winsorised = first["outlier_policy"] == "winsorise"
        declarations.append(
            Declaration(
                segmentation=segmentation,
                features=tuple(rows["feature"]),
                algorithm=first["algorithm"],
                k=None if pd.isna(first["k"]) else int(first["k"]),
                k_min=int(first["k_min"]),
                k_max=int(first["k_max"]),
                n_init=int(first["n_init"]),
                seed=int(first["seed"]),
                scaler=first["scaler"],
                ranked=frozenset(rows["feature"][rows["transform"] == "rank"]),
                winsorised=(
                    (float(first["winsorised_from"]), float(first["winsorised_to"]))
                    if winsorised
                    else None
                ),
                separated=frozenset(rows["feature"][rows["is_separated"].astype(bool)]),
                day_counts=frozenset(rows["feature"][rows["counts_days"].astype(bool)]),
                growing=frozenset(rows["feature"][rows["grows"].astype(bool)]),
            )
        )
    return declarations


def read_playbook(playbook, prototypes, name, declaration, claims=None):
    """Read the named segments of a declaration.

    Parameters
    ----------
    playbook : DataFrame
        ``segment_playbook``, ordered by segment_order: playbook, segment_code, segment_name,
        outlier_features, highest_in.
    prototypes : DataFrame
        ``segment_prototypes``: playbook, segment_code, feature, position.
    name : str
        Of the playbook.
    declaration : Declaration
    claims : DataFrame, optional
        ``segment_claims``: playbook, segment_code, feature, statistic, comparison, number, times.

    Returns
    -------
    Playbook

    Raises
    ------
    ValueError
        If there is no such playbook, it has segments of outliers alone, it says nothing about any
        of the features, or a segment lacks the position of a feature that others have.
    """
    where = f"segmentation {declaration.segmentation}: "
    rows = playbook[playbook["playbook"] == name]
    if rows.empty:
        known = sorted(playbook["playbook"].unique())
        meant = difflib.get_close_matches(name, known, n=1)
        raise ValueError(
            f"{where}seeds/segment_playbook.csv has no playbook {name}; "
            f"there are {', '.join(known)}" + (f". Did you mean {meant[0]}?" if meant else "")
        )
    is_plain = rows["outlier_features"].isna() | (rows["outlier_features"] == "")
    if not is_plain.any():
        raise ValueError(
            f"{where}all segments of the playbook {name} in seeds/segment_playbook.csv are of "
            "outliers; add those of everybody else"
        )
    stands = prototypes[prototypes["playbook"] == name]
    positions = {
        code: own.set_index("feature")["position"].to_dict()
        for code, own in stands.groupby("segment_code")
    }
    told = [feature for feature in declaration.features if find_position(positions, feature)]
    if not told:
        raise ValueError(
            f"{where}seeds/segment_prototypes.csv has no position of the playbook {name} for "
            f"any of {', '.join(declaration.features)}"
        )
    found = {}
    for code in rows["segment_code"][is_plain]:
        own = [find_position(positions, feature, code) for feature in declaration.features]
        lacking = [
            feature
            for feature, place in zip(declaration.features, own, strict=True)
            if feature in told and not place
        ]
        if lacking:
            raise ValueError(
                f"{where}seeds/segment_prototypes.csv has no position of {code} for "
                f"{', '.join(lacking)}, which other segments of {name} have"
            )
        # A feature of which the playbook says nothing takes no part in naming.
        found[code] = np.array([float(place[0]) if place else np.nan for place in own])
    kinds = rows[~is_plain]
    outliers = {
        frozenset(kind.split()): code
        for code, kind in zip(kinds["segment_code"], kinds["outlier_features"], strict=True)
    }
    best = None
    for row in rows[rows["highest_in"].notna() & (rows["highest_in"] != "")].itertuples():
        column = find_column(declaration.features, row.highest_in)
        best = None if column is None else (row.segment_code, column)
    claimed = {} if claims is None else read_claims(claims, name, declaration.features)
    if not claimed:
        return Playbook(found, outliers, best=best)
    fallbacks = playbook[playbook["playbook"] == FALLBACK]
    named = pd.concat([rows, fallbacks])
    return Playbook(
        found,
        outliers,
        claimed | read_claims(claims, FALLBACK, declaration.features),
        fallbacks["segment_code"].tolist(),
        dict(zip(named["segment_code"], named["segment_name"], strict=True)),
        best,
    )


def read_claims(claims, name, features):
    """Read the claims of a playbook.

    Parameters
    ----------
    claims : DataFrame
        ``segment_claims``.
    name : str
        Of the playbook.
    features : sequence of str
        Of the declaration.

    Returns
    -------
    dict of str to list of Claim
        By segment code, in the order of the rows.
    """
    found = {}
    for row in claims[claims["playbook"] == name].itertuples():
        found.setdefault(row.segment_code, []).append(
            Claim(
                feature=row.feature,
                column=find_column(features, row.feature),
                statistic=row.statistic,
                comparison=row.comparison,
                number=float(row.number),
                times=None if pd.isna(row.times) or not row.times else row.times,
            )
        )
    return found


def find_column(features, feature):
    """Find where a feature, or else the first window of it, is among others; None: nowhere."""
    if feature in features:
        return features.index(feature)
    of_windows = [re.sub("_[0-9]+d$", "", name) for name in features]
    return of_windows.index(feature) if feature in of_windows else None


def find_position(positions, feature, code=None):
    """Find where a segment, or any segment, stands in a feature.

    Who spends much in a year is who spends much: a window has the position of the whole, unless it
    has one of its own.

    Parameters
    ----------
    positions : dict of str to dict of str to float
        By segment code and feature.
    feature : str
    code : str, optional

    Returns
    -------
    list of float
        Of at most one; empty where nothing is said.
    """
    segments = positions.values() if code is None else [positions.get(code, {})]
    names = (feature, re.sub("_[0-9]+d$", "", feature))
    return [own[name] for name in names for own in segments if name in own][:1]
