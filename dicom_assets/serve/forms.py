"""Forms that a POST brings, read as far as one may be long."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from dicom_assets.serve.errors import SlowError, TooMuchError
from dicom_assets.serve.patience import BODY_SECONDS


async def read_form(request: Request, most: int) -> Mapping[str, str]:
    """Return the fields of the form in the body of a POST, the last of each name; none of a GET.

    Parameters
    ----------
    request
        Whose body.
    most
        Bytes of the longest form that is taken.

    Raises
    ------
    TooMuchError
        It is longer; what is behind these bytes is not read.
    SlowError
        It is not there in time.

    """
    if request.method != "POST":
        return {}
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise TooMuchError(f"a form of more than {most} bytes is not taken")
    except TimeoutError as error:
        raise SlowError("the form takes too long to come") from error
    return dict(parse_qsl(bytes(body).decode(errors="replace"), keep_blank_values=True))
