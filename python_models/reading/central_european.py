"""Tells CP1252 (Western European) from CP1250 (Central European) by the letters of words."""

import re
import unicodedata
from collections import Counter


def western_or_central(lines):
    """Tell CP1252 from CP1250 by the letters that the bytes would be.

    Parameters
    ----------
    lines : list of bytes
        Lines that are not ASCII.

    Returns
    -------
    encoding, runner_up, evidence : str
    """
    votes = Counter()
    seen = {"cp1250": "", "cp1252": ""}
    words, foreign = 0, []
    for raw in lines:
        central = raw.decode("cp1250", "replace")
        western = raw.decode("cp1252", "replace")
        for place, letter in enumerate(central):
            if letter.isascii():
                continue
            favoured = favoured_encoding(
                central[place - 1] if place else " ",
                letter,
                western[place],
                central[place + 1] if place + 1 < len(central) else " ",
            )
            if favoured:
                votes[favoured] += 1
                text = central if favoured == "cp1250" else western
                seen[favoured] = seen[favoured] or word_at(text, place)
        for word in re.findall(r"[^\W\d_]{3,}", western):
            if not word.isascii():
                words += 1
                if all(letter > "\xbf" for letter in word):
                    foreign.append(word)
    # Western words have letters of ASCII too.
    if len(foreign) > words / 2:
        word = foreign[0]
        return (
            "cp1252",
            "cp1251",
            f"words such as {word} speak for another alphabet: set the encoding "
            f"(cp1251 makes it {word.encode('cp1252').decode('cp1251', 'replace')})",
        )
    encoding = "cp1250" if votes["cp1250"] > votes["cp1252"] else "cp1252"
    other = "cp1252" if encoding == "cp1250" else "cp1250"
    if not votes:
        place = next(index for index, byte in enumerate(lines[0]) if byte > 127)
        word = word_at(lines[0].decode(encoding, "replace"), place)
        return encoding, other, f"nothing tells it from {other}; such as {word}"
    evidence = (
        f"letters such as in {seen[encoding]} ({votes[encoding]:,} for, {votes[other]:,} against)"
    )
    return encoding, other, evidence


def word_at(text, place):
    """Find the word that a character is part of."""
    start = max(text.rfind(sign, 0, place) for sign in ' ,;\t|"') + 1
    return re.match(r"[^ ,;\t|\"\r\n]*", text[start:])[0]


def favoured_encoding(before, central, western, after):
    """Say which encoding a character speaks for.

    Parameters
    ----------
    before, after : str
        The characters beside it, as CP1250 has them.
    central, western : str
        The character in CP1250 and in CP1252.

    Returns
    -------
    str or None
        cp1250 or cp1252; None where it may be either.
    """
    inside = before.isalpha() and after.isalpha()
    low = central.lower()
    if central == western:
        # S and Z with a caron are the same in both encodings, but rare in Western words.
        return "cp1250" if low in "\u0161\u017e" and (before.isalpha() or after.isalpha()) else None
    if western == "\ufffd" and central.isalpha():
        return "cp1250"
    if western.lower() == "\u0153":
        return "cp1252" if after.lower() in ("i", "u") else "cp1250"
    is_letter = western.isalpha() and western not in "\xaa\xba\u0192"
    if central.isalpha() != is_letter:
        # One of them is a sign, such as a superscript three: no sign is in the middle of a word.
        return ("cp1250" if central.isalpha() else "cp1252") if inside else None
    if not is_letter:
        return None
    if low in "\u0155\u013a":
        return "cp1252"
    if low in "\u011b\u016f":
        return "cp1250" if after.isalpha() else None
    if low == "\u0144":
        return "cp1252" if is_vowel(after) else "cp1250"
    if low in "\u0103\u0151":
        return "cp1252" if after.lower() in ("e", "o") else None
    if is_vowel(western) and not is_vowel(central):
        # A vowel stands between consonants, and a consonant between vowels. At the start or end of
        # a word, only the letter on the other side counts. A word of one letter is a vowel.
        neighbours = [is_vowel(letter) for letter in (before, after) if letter.isalpha()]
        if not any(neighbours):
            return "cp1252"
        return "cp1250" if all(neighbours) else None
    return None


def is_vowel(letter):
    """Whether a letter is a vowel, with an accent or without."""
    plain = unicodedata.normalize("NFD", letter.lower())[:1]
    return plain in ("a", "e", "i", "o", "u", "y", "\xe6", "\xf8", "\u0153")
