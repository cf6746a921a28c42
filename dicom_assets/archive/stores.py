"""Connections to object stores."""

from collections.abc import Mapping

from obstore.store import ObjectStore, from_url

from dicom_assets.storage.retries import READ_RETRIES

_OF_THE_CLIENT = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "http1_only",
        "http2_only",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "read_timeout",
        "root_certificate",
        "timeout",
        "user_agent",
    }
)
"""Options of the connection. obstore takes them apart from those of the store, and panics where they are mixed."""


def open_store(root: str, options: Mapping[str, str]) -> ObjectStore:
    """Return the store at a URI.

    Parameters
    ----------
    root
        The URI.
    options
        Of the store and of the connection, as object_store names them.

    """
    store = {name: value for name, value in options.items() if _of_client(name) is None}
    client = {known: value for name, value in options.items() if (known := _of_client(name)) is not None}
    return from_url(
        root,
        config=store or None,  # type: ignore[arg-type]
        client_options=client or None,  # type: ignore[arg-type]
        retry_config=READ_RETRIES,
    )


def _of_client(option: str) -> str | None:
    """Return the name of an option of the connection, ``None`` for one of the store."""
    name = option.lower().removeprefix("aws_").removeprefix("azure_").removeprefix("google_")
    return name if name in _OF_THE_CLIENT else None
