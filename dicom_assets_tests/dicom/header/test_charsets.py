"""Text in every character set of PS3.3 C.12.1.1.2; the names are those of PS3.5 annexes H, I, J and K."""

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.charsets import Charset, charset_of
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom import encoding as e


@pytest.mark.parametrize(
    ("terms", "raw", "expected"),
    [
        # PS3.5 H.3.1: Japanese in three groups
        (
            ("", "ISO 2022 IR 87"),
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        # PS3.5 H.3.2: half-width katakana in front
        (
            ("ISO 2022 IR 13", "ISO 2022 IR 87"),
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        ),
        # PS3.5 I.2: Korean
        (
            ("", "ISO 2022 IR 149"),
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
            "Hong^Gildong=洪^吉洞=홍^길동",
        ),
        # PS3.5 K.2: Chinese by code extension
        (
            ("", "ISO 2022 IR 58"),
            b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
            "Zhang^XiaoDong=张^小东=",
        ),
        # PS3.5 J.1 to J.4: Chinese in sets without code extension
        (("ISO_IR 192",), "Wang^XiaoDong=王^小东=".encode(), "Wang^XiaoDong=王^小东="),
        (("GB18030",), b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
        (("GBK",), b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
        # JIS X 0212, whose characters JIS X 0208 lacks
        (("", "ISO 2022 IR 87", "ISO 2022 IR 159"), b"\x1b$(D0!\x1b(B", "丂"),
        # single-byte sets, alone and by escape sequence
        (("ISO_IR 100",), b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        (("ISO_IR 101",), b"\xb1", "ą"),
        (("ISO_IR 109",), b"\xa1", "Ħ"),
        (("ISO_IR 110",), b"\xa1", "Ą"),
        (("ISO_IR 126",), b"\xc4\xe9\xef\xed", "Διον"),
        (("ISO_IR 127",), b"\xe2\xc8\xc7", "قبا"),
        (("ISO_IR 138",), b"\xf9\xf8\xe5\xef", "שרון"),
        (("ISO_IR 144",), b"\xbb\xee\xda", "Люк"),
        (("ISO_IR 148",), b"\xd0", "Ğ"),
        (("ISO_IR 166",), b"\xa1", "ก"),
        (("ISO_IR 203",), b"\xa4", "€"),
        (("ISO_IR 13",), b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
        (("ISO 2022 IR 6", "ISO 2022 IR 100", "ISO 2022 IR 144"), b"\x1b-Ae\xe9 \x1b-L\xbb", "eé Л"),
        (("ISO 2022 IR 100", "ISO 2022 IR 126"), b"\xe9^\x1b-F\xc4^\xe9", "é^Δ^é"),
        (("ISO_IR 100", "ISO 2022 IR 144"), b"\xe9 \x1b-L\xbb", "é Л"),
    ],
)
def test_text(terms, raw, expected):
    charset, defined = charset_of(terms)
    assert defined
    assert charset.decode(raw, name=True) == expected


def test_delimiters_inside_a_pair_of_bytes_do_not_delimit():
    # 5CH is the second byte of 十 in JIS X 0208, and of 乗 in GB 18030.
    japanese, _ = charset_of(("", "ISO 2022 IR 87"))
    assert japanese.decode("十".encode("iso2022_jp")) == "十"
    content = e.dicom_file(
        e.explicit(0x00100020, "LO", "乗\\A".encode("gb18030")),
        head=e.explicit(0x00080005, "CS", b"GB18030 ") + e.HEAD,
    )
    assert read_header(BytesSource(content)).dataset["00100020"]["Value"] == ["乗", "A"]


@pytest.mark.parametrize(("name", "expected"), [(True, "\u0414^\xe4"), (False, "\u0414^\u0414")])
def test_a_circumflex_resets_names_only(name, expected):
    charset, _ = charset_of(("ISO 2022 IR 100", "ISO 2022 IR 144"))
    assert charset.decode(b"\x1b-L\xb4^\xe4" if name else b"\x1b-L\xb4^\xb4", name=name) == expected


@pytest.mark.parametrize("delimiter", ["\\", "\r\n", "\t", "\f"])
def test_delimiters_reset(delimiter):
    charset, _ = charset_of(("ISO 2022 IR 100", "ISO 2022 IR 144"))
    assert charset.decode(b"\x1b-L\xbb" + delimiter.encode() + b"\xe9") == f"Л{delimiter}é"


@pytest.mark.parametrize(
    ("term", "meant"),
    [("ISO-IR 100", "ISO_IR 100"), ("ISO IR 100", "ISO_IR 100"), ("iso_ir 192", "ISO_IR 192"), ("UTF-8", "ISO_IR 192")],
)
def test_misspelt_terms(term, meant):
    charset, defined = charset_of((term,))
    assert not defined
    assert charset.terms == (meant,)


def test_undefined_bytes():
    charset = Charset(("ISO_IR 126",))
    assert charset.decode(b"a\xff") is None
    assert charset.salvage(b"a\xc1\xff") == "a\u0391\xff"


def test_charset_of_items():
    latin = e.explicit(0x00080005, "CS", b"ISO_IR 100")
    cyrillic = e.explicit(0x00080005, "CS", b"ISO_IR 144")
    meaning = e.explicit(0x00080104, "LO", b"\xe9\xe9")
    content = e.dicom_file(
        e.sequence(0x00400275, e.item(meaning), e.item(cyrillic + meaning), e.item(meaning)),
        e.explicit(0x00400280, "ST", b"\xe9\xe9"),
        head=latin + e.HEAD,
    )
    header = read_header(BytesSource(content))
    assert [item["00080104"]["Value"] for item in header.dataset["00400275"]["Value"]] == [["éé"], ["щщ"], ["éé"]]
    assert header.first("00400280") == "éé"
    assert header.first("00080005") == "ISO_IR 100"


def test_charset_does_not_apply_to_other_vrs():
    content = e.dicom_file(
        e.explicit(0x00080060, "CS", b"\xe9 "), head=e.explicit(0x00080005, "CS", b"ISO_IR 144") + e.HEAD
    )
    header = read_header(BytesSource(content))
    assert header.first("00080060") == "é"
    assert [issue.code for issue in header.issues] == [IssueCode.BAD_CHARACTER, IssueCode.BAD_CODE]


def test_values_met_in_one_charset_do_not_leak_into_another():
    for term, expected in (("ISO_IR 100", "é"), ("ISO_IR 144", "щ"), ("ISO_IR 100", "é")):
        content = e.dicom_file(
            e.explicit(0x00100020, "LO", b"\xe9 "), head=e.explicit(0x00080005, "CS", e.text(term)) + e.HEAD
        )
        assert read_header(BytesSource(content)).first("00100020") == expected
