"""What the S3 client and its HTTP layer raise, as StorageError; and which of it is worth another try."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from dataflow.errors import Action, StorageError

if TYPE_CHECKING:
    from tenacity import RetryCallState

Result = TypeVar("Result")

CREDENTIAL_CODES = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "AuthorizationHeaderMalformed"}
)
TRANSIENT_CODES = frozenset({"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "RetryHead"})
ATTEMPTS = 4
# SeaweedFS answers InternalError for a second or two after its start, until its own parts have found each other.
PATIENCE = 10.0


def with_retries(work: Callable[[], Result]) -> Result:
    """Do the work again while the store fails in passing, with jittered pauses.

    A store that does not answer gets four attempts (a second in all); one that answers "not ready" gets ten seconds.
    """
    import tenacity

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda exc: isinstance(exc, StorageError) and exc.retryable),
        stop=_enough,
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=1),
        reraise=True,
    )
    return retrying(work)


def _enough(state: RetryCallState) -> bool:
    from minio.error import S3Error

    failure = state.outcome.exception() if state.outcome else None
    if failure is not None and isinstance(failure.__cause__, S3Error):
        return (state.seconds_since_start or 0.0) >= PATIENCE
    return state.attempt_number >= ATTEMPTS


@contextmanager
def store_errors(endpoint: str, bucket: str = "", key: str = "") -> Generator[None]:
    """Turn what the client raises inside the block into StorageError."""
    from minio.error import InvalidResponseError, S3Error, ServerError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except S3Error as exc:
        raise _from_s3(exc, endpoint, bucket, key) from exc
    except (HTTPError, ServerError, InvalidResponseError) as exc:
        raise store_down(endpoint, exc) from exc
    except ValueError as exc:
        raise StorageError(
            f"The object store has no such name: {bucket}/{key} ({exc})",
            code="NAME_INVALID",
            hint="A bucket has 3 to 63 lower-case letters, digits, dots and hyphens; a key has no . or .. segment",
        ) from exc


def store_down(endpoint: str, exc: Exception) -> StorageError:
    """The store does not answer, or broke off; worth another try later."""
    reason = exc.__cause__ or getattr(exc, "reason", None) or exc
    said = getattr(exc, "code", None)
    words = f"is not ready: it answers {said}" if said else f"does not answer ({type(reason).__name__})"
    return StorageError(
        f"The object store at {endpoint} {words}",
        code="STORE_DOWN",
        hint="It may be stopped or still starting; nothing half-written is visible",
        actions=(Action("See its state", "dataflow status"), Action("Start it", "dataflow up")),
        retryable=True,
    )


def bucket_missing(bucket: str) -> StorageError:
    """There is no such bucket."""
    return StorageError(
        f"There is no bucket {bucket}",
        code="BUCKET_MISSING",
        hint="Make it first with ObjectStore.ensure_bucket",
        actions=(Action("See the buckets", "dataflow storage ls"),),
    )


def checksum_mismatch(where: str, expected: str, found: str) -> StorageError:
    """The bytes are not those that were stored."""
    return StorageError(
        f"{where} is damaged: its checksum is {found[:12]}…, stored as {expected[:12]}…",
        code="CHECKSUM_MISMATCH",
        hint="Put a good copy in its place, or remove it and load that part again from its source",
        actions=(
            Action("See it", f"dataflow storage ls {where}"),
            Action("Put a good copy in its place", f"dataflow storage put FILE {where}"),
        ),
    )


def _from_s3(exc: Exception, endpoint: str, bucket: str, key: str) -> StorageError:
    code = str(getattr(exc, "code", ""))
    if code == "NoSuchBucket":
        return bucket_missing(bucket)
    if code in ("NoSuchKey", "NoSuchObject"):
        return StorageError(
            f"There is no object {bucket}/{key}",
            code="OBJECT_MISSING",
            actions=(Action("See what is there", f"dataflow storage ls {bucket}/"),),
        )
    if code in CREDENTIAL_CODES:
        return StorageError(
            f"The object store at {endpoint} refused the credentials ({code})",
            code="STORE_CREDENTIALS",
            hint="Check DATAFLOW_S3_ACCESS_KEY and DATAFLOW_S3_SECRET_KEY",
            actions=(Action("See where they come from", "dataflow config show --origin"),),
        )
    if code in TRANSIENT_CODES:
        return store_down(endpoint, exc)
    return StorageError(f"The object store refused {bucket}/{key}: {getattr(exc, 'message', code)} ({code})")
