"""Specific Character Set (PS3.3 C.12.1.1.2): from the bytes of a value to text.

A single Defined Term without code extensions is one codec. Several, or those named ``ISO 2022``, switch within a
value by escape sequences (PS3.5 6.1.2.5): then low bytes are read through the code element in G0 and high bytes
through the one in G1, and each delimiter puts both back to what the first term says.
"""

import codecs
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import MappingProxyType

Codec = Callable[[bytes], str]


def _codec(name: str) -> Codec:
    def decode(raw: bytes) -> str:
        return raw.decode(name)

    return decode


_HIGH = bytes(code | 0x80 for code in range(256))


def _jis_x_0208(raw: bytes) -> str:
    return raw.translate(_HIGH).decode("euc_jp")


def _jis_x_0212(raw: bytes) -> str:
    high = raw.translate(_HIGH)
    return b"".join(b"\x8f" + high[at : at + 2] for at in range(0, len(high), 2)).decode("euc_jp")


_ASCII = _codec("ascii")
_LATIN_1 = _codec("latin-1")

_SINGLE_BYTE = {
    "6": "ascii",
    "13": "shift_jis",
    "100": "latin-1",
    "101": "iso8859-2",
    "109": "iso8859-3",
    "110": "iso8859-4",
    "126": "iso8859-7",
    "127": "iso8859-6",
    "138": "iso8859-8",
    "144": "iso8859-5",
    "148": "iso8859-9",
    "166": "tis-620",
    "203": "iso8859-15",
}
"""ISO registration number to codec (PS3.3 tables C.12-2, C.12-3). Single bytes of Shift JIS are JIS X 0201."""

_STAND_ALONE = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
"""Terms that allow no code extensions (PS3.3 table C.12-5)."""

_G1_BY_TERM: dict[str, Codec] = {
    f"ISO 2022 IR {ir}": _codec(name) for ir, name in _SINGLE_BYTE.items() if ir != "6"
} | {
    "ISO 2022 IR 149": _codec("euc_kr"),
    "ISO 2022 IR 58": _codec("gb2312"),
}
_EXTENDED_TERMS = frozenset({*_G1_BY_TERM, "ISO 2022 IR 6", "ISO 2022 IR 87", "ISO 2022 IR 159"})

_G0_BY_ESCAPE: dict[bytes, Codec] = {
    b"\x1b(B": _ASCII,
    b"\x1b(J": _ASCII,  # the Roman set of JIS X 0201, whose yen sign stands for the backslash
    b"\x1b$B": _jis_x_0208,
    b"\x1b$@": _jis_x_0208,  # its edition of 1978
    b"\x1b$(D": _jis_x_0212,
}
_G1_BY_ESCAPE: dict[bytes, Codec] = {
    b"\x1b)I": _codec("shift_jis"),
    b"\x1b-A": _LATIN_1,
    b"\x1b-B": _codec("iso8859-2"),
    b"\x1b-C": _codec("iso8859-3"),
    b"\x1b-D": _codec("iso8859-4"),
    b"\x1b-F": _codec("iso8859-7"),
    b"\x1b-G": _codec("iso8859-6"),
    b"\x1b-H": _codec("iso8859-8"),
    b"\x1b-L": _codec("iso8859-5"),
    b"\x1b-M": _codec("iso8859-9"),
    b"\x1b-T": _codec("tis-620"),
    b"\x1b-b": _codec("iso8859-15"),
    b"\x1b$)C": _codec("euc_kr"),
    b"\x1b$)A": _codec("gb2312"),
}
_PAIRS = frozenset({_jis_x_0208, _jis_x_0212})

_ESCAPES = re.compile(rb"(\x1b(?:\$[()][A-D]|\$[@B]|[()\-][A-Zb]))")
_RUNS = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")
_VALUE_DELIMITERS = re.compile(rb"([\\\t\n\f\r])")
_NAME_DELIMITERS = re.compile(rb"([\\\t\n\f\r^=])")


_AS_LATIN_1 = "dicom_assets.as_latin_1"


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_AS_LATIN_1, _as_latin_1)


class Charset:
    """How the text of one data set is decoded.

    Parameters
    ----------
    terms
        The values of Specific Character Set, each a Defined Term or empty.

    """

    def __init__(self, terms: Sequence[str] = ()) -> None:
        self.terms = tuple(terms)
        first = self.terms[0] if self.terms else ""
        self.declared = any(terms)
        self._g1: Codec | None = None
        self._plain: str | None = None
        if first in _STAND_ALONE:
            self._plain = _STAND_ALONE[first]
        elif len(self.terms) > 1 or first in _EXTENDED_TERMS:
            self._g1 = _G1_BY_TERM.get(first.replace("ISO_IR", "ISO 2022 IR"))
        else:
            self._plain = _SINGLE_BYTE.get(first.removeprefix("ISO_IR "), "ascii")

    def decode(self, raw: bytes, *, name: bool = False) -> str | None:
        """Return the text of a value, ``None`` when some bytes have no meaning in this character set.

        Parameters
        ----------
        raw
            The value, of all its parts: delimiters reset code extensions, so it must not be split before.
        name
            Whether it is a PN, where ``^`` and ``=`` delimit too.

        """
        try:
            if self._plain is not None:
                return raw.decode(self._plain)
            return self._decode_extended(raw, _NAME_DELIMITERS if name else _VALUE_DELIMITERS)
        except UnicodeDecodeError:
            return None

    def salvage(self, raw: bytes) -> str:
        """Return the text of a value that does not decode, bytes that have no meaning read as ISO 8859-1."""
        return raw.decode(self._plain or "ascii", _AS_LATIN_1)

    def _decode_extended(self, raw: bytes, delimiters: re.Pattern[bytes]) -> str:
        g0, g1 = _ASCII, self._g1
        text = []
        for part in _ESCAPES.split(raw):
            if part in _G0_BY_ESCAPE:
                g0 = _G0_BY_ESCAPE[part]
            elif part in _G1_BY_ESCAPE:
                g1 = _G1_BY_ESCAPE[part]
            elif g0 in _PAIRS:
                # 5CH and 5EH are halves of characters here, no delimiters.
                text.append(g0(part))
            else:
                for piece in delimiters.split(part):
                    text.extend(self._decode_run(run, g0, g1) for run in _RUNS.findall(piece))
                    if delimiters.fullmatch(piece):
                        g0, g1 = _ASCII, self._g1
        return "".join(text)

    @staticmethod
    def _decode_run(run: bytes, g0: Codec, g1: Codec | None) -> str:
        if run[0] < 0x80:
            return g0(run)
        # High bytes without a code element in G1 are an error of the file, told by the same exception.
        return (g1 or _ASCII)(run)


NO_CHARSET = Charset()
"""The default repertoire (PS3.5 6.1.2.1)."""

_MISSPELT = re.compile(r"ISO[ _\-]*(2022)?[ _\-]*IR[ _\-]*(\d+)", re.IGNORECASE)
_ALIASES = MappingProxyType(
    {"UTF-8": "ISO_IR 192", "UTF8": "ISO_IR 192", "ISO 2022 GBK": "GBK", "ISO 2022 58": "ISO 2022 IR 58"}
)


def _is_defined(term: str) -> bool:
    return (
        not term
        or term in _STAND_ALONE
        or term in _EXTENDED_TERMS
        or (term.startswith("ISO_IR ") and term.removeprefix("ISO_IR ") in _SINGLE_BYTE)
    )


def _intended(term: str) -> str:
    """Return the Defined Term that a misspelt one means, the empty one when there is none."""
    found = _MISSPELT.fullmatch(term)
    guess = (
        f"ISO 2022 IR {found[2]}"
        if found and found[1]
        else f"ISO_IR {found[2]}"
        if found
        else _ALIASES.get(term.upper(), "")
    )
    return guess if _is_defined(guess) else ""


@lru_cache(maxsize=1024)
def charset_of(terms: tuple[str, ...]) -> tuple[Charset, bool]:
    """Return the decoder for the values of Specific Character Set, and whether each is a Defined Term.

    Terms that are misspelt in known ways (``ISO-IR 100``) are taken for what they mean, others for the default
    repertoire.
    """
    defined = all(_is_defined(term) for term in terms)
    meant = terms if defined else tuple(term if _is_defined(term) else _intended(term) for term in terms)
    return Charset(meant), defined
