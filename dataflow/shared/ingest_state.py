"""How far a source has been read. It stands in the object store beside the data, so it moves with the objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataflow.errors import Action, SourceError, StorageError

if TYPE_CHECKING:
    from dataflow.shared.minio import ObjectStore


@dataclass(frozen=True, slots=True)
class IngestState:
    """The state of one source, a JSON object under one key.

    Save it after the page it describes has landed: a crash in between repeats a page, which lands on itself, and
    never loses one.
    """

    store: ObjectStore
    bucket: str
    key: str

    def load(self) -> dict[str, Any]:
        """The state, empty before the first save.

        Raises:
            SourceError: STATE_CORRUPT; the object is no JSON object. It is left as it is.
        """
        try:
            data = self.store.get_bytes(self.bucket, self.key)
        except StorageError as exc:
            if exc.code == "OBJECT_MISSING":
                return {}
            raise
        try:
            state = json.loads(data)
        except ValueError as exc:
            raise self._corrupt() from exc
        if not isinstance(state, dict):
            raise self._corrupt()
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state; the object store shows the old one or the new one, never a mixture."""
        data = json.dumps(state, sort_keys=True).encode()
        self.store.put_bytes(self.bucket, self.key, data, content_type="application/json")

    def _corrupt(self) -> SourceError:
        place = f"{self.bucket}/{self.key}"
        return SourceError(
            f"The ingestion state {place} is not a JSON object",
            code="STATE_CORRUPT",
            hint="Remove it to read the source from its start; what has landed already lands on itself",
            actions=(Action("Remove it", f"dataflow storage rm {place}"),),
        )
