"""Object stores: opened as the environment says, in the names that the vendors' own tools use, and their errors explained.

Nothing here is imported, and no network is used, before the user names a place in a store.
"""

from __future__ import annotations

import errno
import functools
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pyarrow import ArrowException, fs

from extractscan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractscan.logs.uris import Place

CONNECT_SECONDS: float = 5.0
SILENT_SECONDS: float = 20.0
"""How long a store may take to be reached, and to send nothing, each time it is asked."""
ATTEMPTS: Final = 3
REGION: Final = "us-east-1"
"""Region where no one names one and the store is not Amazon's: it decides the signature alone."""

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or AWS_SKIP_SIGNATURE=true for a public bucket",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
    "az": "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or a login of the Azure CLI",
}
_ENDPOINT: Final = {"s3": "AWS_ENDPOINT_URL", "gs": "STORAGE_EMULATOR_HOST", "az": "AZURITE_BLOB_STORAGE_URL"}
_STATUS: Final = re.compile(
    r"HTTP(?: status(?: code)?)?[ :]*(\d{3})\b|\bstatus[ :(=]+(\d{3})\b|\b(\d{3}) [A-Z]", re.IGNORECASE
)
_DENIED: Final = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN|EXPIRED_TOKEN|UNRECOGNIZED_CLIENT"
    r"|MISSING_AUTHENTICATION|PERMISSION_DENIED|UNAUTHENTICATED|AuthenticationFailed|AuthorizationFailure|credential",
    re.IGNORECASE,
)
_SLOW: Final = re.compile(
    r"curlCode: 28|timed? ?out|DEADLINE_EXCEEDED|retry policy exhausted|REQUEST_TIMEOUT", re.IGNORECASE
)
_LINE: Final = re.compile(
    r"NETWORK_CONNECTION|curlCode|UNAVAILABLE|CURL error|connect|resolve host|PerformWork|DNS", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Access:
    """What decides how a store is opened: equal ones share a connection."""

    kind: str
    bucket: str
    endpoint: str = ""
    region: str = ""
    anonymous: bool = False
    account: str = ""
    key: str = ""
    sas: str = ""
    seconds: tuple[float, float] = (0.0, 0.0)


def access(place: Place, environment: Mapping[str, str]) -> _Access:
    """How ``place`` is reached, by the environment. Raises InputError where Azure's account is not named."""

    def first(*names: str) -> str:
        return next((value for name in names if (value := environment.get(name, "").strip())), "")

    seconds = (CONNECT_SECONDS, SILENT_SECONDS)
    if place.kind == "s3":
        endpoint = first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        region = first("AWS_REGION", "AWS_DEFAULT_REGION") or (REGION if endpoint else "")
        anonymous = first("AWS_SKIP_SIGNATURE").lower() in _TRUE
        return _Access("s3", "" if region else place.bucket, endpoint, region, anonymous, seconds=seconds)
    if place.kind == "gs":
        endpoint = first("STORAGE_EMULATOR_HOST")
        anonymous = bool(endpoint) or first("GOOGLE_SKIP_SIGNATURE").lower() in _TRUE
        return _Access("gs", "", endpoint, anonymous=anonymous, seconds=seconds)
    account = place.account or first("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
    if not account:
        raise InputError(
            f"{place.uri}: no storage account is named: set AZURE_STORAGE_ACCOUNT_NAME, or write abfss://CONTAINER@ACCOUNT…"
        )
    key = first("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY")
    sas = "" if key else first("AZURE_STORAGE_SAS_TOKEN").removeprefix("?")
    return _Access("az", "", first("AZURITE_BLOB_STORAGE_URL"), account=account, key=key, sas=sas)


def store(place: Place) -> Any:
    """The file system that ``place`` lies in. Raises InputError for settings that cannot be used."""
    how = access(place, os.environ)
    try:
        return _opened(how)
    except (OSError, ArrowException, ValueError) as error:
        raise failed(place, error) from error


@functools.lru_cache(maxsize=8)
def _opened(how: _Access) -> Any:
    scheme, _, host = how.endpoint.rpartition("://")
    host = host.rstrip("/")
    if how.kind == "s3":
        region = how.region or fs.resolve_s3_region(how.bucket)
        connect, silent = how.seconds
        return fs.S3FileSystem(
            anonymous=how.anonymous,
            region=region,
            scheme=scheme or "https",
            endpoint_override=host or None,
            connect_timeout=connect,
            request_timeout=silent,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        )
    if how.kind == "gs":
        more = {"scheme": scheme or "http", "endpoint_override": host} if host else {}
        return fs.GcsFileSystem(anonymous=how.anonymous, retry_time_limit=timedelta(seconds=sum(how.seconds)), **more)
    emulator = dict.fromkeys(("blob_storage_authority", "dfs_storage_authority"), host) if host else {}
    if host:
        emulator |= dict.fromkeys(("blob_storage_scheme", "dfs_storage_scheme"), scheme or "http")
    return fs.AzureFileSystem(how.account, account_key=how.key or None, sas_token=how.sas or None, **emulator)


def lake_settings(place: Place, kind: str) -> dict[str, str]:
    """What the libraries of lakes must be told of a store, beside the environment, which they read too."""
    how = access(place, os.environ)
    if kind == "iceberg":
        named = {"s3.endpoint": how.endpoint, "s3.region": how.region, "s3.anonymous": "true" if how.anonymous else ""}
        return {name: value for name, value in named.items() if value} if place.kind == "s3" else {}
    if place.kind != "s3":
        return {}
    settings = {"aws_region": how.region or REGION, "aws_endpoint_url": how.endpoint}
    settings |= {"aws_skip_signature": "true"} if how.anonymous else {}
    settings |= {"aws_allow_http": "true"} if how.endpoint.startswith("http:") else {}
    return {name: value for name, value in settings.items() if value}


def failed(place: Place, error: Exception) -> Exception:
    """What to raise for an error that Arrow raised: an InputError where no other object can be expected to be had either.

    An OSError is for one object alone: gone since it was listed, or not to be read by this user. The store's own words are not
    repeated; they are somebody else's text, and long.
    """
    text = str(error)
    status = next((int(n) for found in [_STATUS.search(text)] if found for n in found.groups() if n), 0)
    if "NO_SUCH_BUCKET" in text or "ContainerNotFound" in text:
        return InputError(f"{place.root} does not exist: no such bucket, or not at {_where(place)}")
    if isinstance(error, FileNotFoundError) or status == 404 or "NO_SUCH_KEY" in text:
        return FileNotFoundError(errno.ENOENT, "no such object", place.uri)
    if status in (401, 403) or _DENIED.search(text):
        return PermissionError(errno.EACCES, "access denied", place.uri)
    if _SLOW.search(text):
        why = f"no answer in time, asked {ATTEMPTS} times" if place.kind == "s3" else "no answer in time"
    elif status >= 500 or status == 429:
        why = f"the store does not answer as it should (HTTP status {status})"
    elif _LINE.search(text):
        why = "the connection failed or broke off"
    elif isinstance(error, ArrowException):
        return OSError(errno.EINVAL, "its key cannot be read (an empty part, or no UTF-8)", place.uri)
    else:
        why = f"the store refuses (HTTP status {status})" if status else "the store cannot be read"
    return InputError(
        f"{place.uri}: {why}; is {_where(place)} right, and can it be reached from here? Nothing is read in part: try again"
    )


def denied(place: Place) -> InputError:
    """What to say where the user's own words lead to something that may not be read."""
    return InputError(f"{place.uri}: access denied: check {_CREDENTIALS[place.kind]}")


def _where(place: Place) -> str:
    name = _ENDPOINT[place.kind]
    value = os.environ.get("AWS_ENDPOINT_URL_S3") if place.kind == "s3" else None
    value = value or os.environ.get(name)
    return f"{name} ({value})" if value else f"the vendor's endpoint (another is named with {name})"
