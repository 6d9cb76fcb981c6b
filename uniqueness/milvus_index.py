"""The index past one machine: Milvus, exhaustive over float32. The one file that imports pymilvus.

A FLAT index under strong consistency: every search waits for all that was written before it, and
compares everybody. A partition holds a run of sequence numbers, so it is a span of time and is
rebuilt into the same one. Milvus keeps what it holds beyond a restart of ours, and the database
stays the truth all the same: `restore` compares ids and takes out what the database's snapshot did
not know, which is then replayed.

Milvus stores vectors as they are: its volumes and object store must be encrypted and its network
closed, as docs/scale.md says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pymilvus import DataType, MilvusClient, MilvusException

from uniqueness.errors import IndexUnavailable, InvalidIndexState
from uniqueness.index import Candidates, Hits, IdArray, State, check_state
from uniqueness.template import FloatArray

MOST_HITS = 16_384  # of one probe in one answer: Milvus's own limit
RUN = 10_000_000  # sequence numbers of a partition; Milvus allows 1,024 partitions
_ROWS_AT_ONCE = 4_096  # 8 MB of 512 values; a message may have 64
_PROBES_AT_ONCE = 64
_STRONG = "Strong"
_PREFIX = "from_"  # of a partition's name, before its first sequence number


class MilvusIndex:
    """A collection of one model's templates in a Milvus cluster.

    Args:
        client: connected to the cluster.
        collection: its name; made if it is not there.
        dimension: values of a vector.
        most_hits: after how many hits of a probe an answer may have been cut off.

    Raises:
        IndexUnavailable: the cluster failed or refused; so does every method.
    """

    def __init__(
        self, client: MilvusClient, collection: str, dimension: int, *, most_hits: int = MOST_HITS
    ) -> None:
        self._client = client
        self._collection = collection
        self._dimension = dimension
        self._most_hits = most_hits
        with _faults_translated():
            if not client.has_collection(collection):
                self._create()
            client.load_collection(collection)

    @classmethod
    def connect(cls, uri: str, collection: str, dimension: int, *, token: str = "") -> Self:
        """Connect to a cluster by its address; a path that ends in .db is a Milvus Lite file."""
        with _faults_translated():
            client = MilvusClient(uri=uri, token=token)
        return cls(client, collection, dimension)

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return self._dimension

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) float32 unit vectors under their (n,) ids; a repeated call changes nothing."""
        runs = ids // RUN
        for run in np.unique(runs).tolist():
            places = np.flatnonzero(runs == run)
            for start in range(0, len(places), _ROWS_AT_ONCE):
                part = places[start : start + _ROWS_AT_ONCE]
                rows = [{"id": int(ids[i]), "vector": vectors[i]} for i in part]
                with _faults_translated():
                    self._client.upsert(self._collection, rows, partition_name=self._partition(run))

    def remove(self, ids: IdArray) -> None:
        """Forget these ids."""
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            with _faults_translated():
                self._client.delete(self._collection, ids[start : start + _ROWS_AT_ONCE].tolist())

    def search(self, probes: FloatArray, k: int, *, floor: float = -1.0) -> Candidates:
        """Find the k nearest of each of the (p, d) probes."""
        if k > self._most_hits:
            return self.search_range(probes, floor).nearest(len(probes), k)
        candidates = Candidates.none(len(probes), k)
        for start in range(0, len(probes), _PROBES_AT_ONCE):
            answers = self._ask(probes[start : start + _PROBES_AT_ONCE], k)
            for probe, hits in enumerate(answers, start):
                candidates.ids[probe, : len(hits)] = [hit["id"] for hit in hits]
                candidates.scores[probe, : len(hits)] = [hit["distance"] for hit in hits]
        return candidates

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """Find every template that scores at least `floor`, however many they are."""
        found: list[tuple[int, int, float]] = []
        for start in range(0, len(probes), _PROBES_AT_ONCE):
            answers = self._ask(probes[start : start + _PROBES_AT_ONCE], self._most_hits, floor)
            for probe, nearest in enumerate(answers, start):
                cut_off = len(nearest) == self._most_hits
                hits = self._all_hits(probes[probe], floor, 0, self._stop()) if cut_off else nearest
                found += [(probe, hit["id"], hit["distance"]) for hit in hits]
        rows, ids, scores = zip(*found, strict=True) if found else ((), (), ())
        return Hits.ranked(
            np.array(rows, np.int64), np.array(ids, np.int64), np.array(scores, np.float32)
        )

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give `ids` (n,) int64; the vectors stay in Milvus."""
        return {"ids": self._ids()}

    def restore(self, state: State) -> None:
        """Hold exactly these ids.

        Raises:
            InvalidIndexState: Milvus lacks some of them: it must be filled from the database.
        """
        check_state(state, {"ids": (np.int64, ())})
        held, known = self._ids(), np.asarray(state["ids"], np.int64)
        if missing := int(np.isin(known, held, invert=True).sum()):
            raise InvalidIndexState(f"Milvus lacks {missing} templates: fill it from the database")
        self.remove(held[np.isin(held, known, invert=True)])

    def clear(self) -> None:
        """Forget everything."""
        with _faults_translated():
            self._client.drop_collection(self._collection)
            self._create()
            self._client.load_collection(self._collection)

    def __len__(self) -> int:
        with _faults_translated():
            answer = self._client.query(
                self._collection, filter="", output_fields=["count(*)"], consistency_level=_STRONG
            )
        return int(answer[0]["count(*)"])

    def _create(self) -> None:
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dimension)
        flat = MilvusClient.prepare_index_params()
        flat.add_index("vector", index_type="FLAT", metric_type="IP")
        self._client.create_collection(
            self._collection, schema=schema, index_params=flat, consistency_level=_STRONG
        )

    def _partition(self, run: int) -> str:
        """Name the partition of a run of sequence numbers, made if it is not there."""
        name = f"{_PREFIX}{run * RUN}"
        if not self._client.has_partition(self._collection, name):
            self._client.create_partition(self._collection, name)
        return name

    def _ask(
        self, probes: FloatArray, limit: int, floor: float = -1.0, ids: str = ""
    ) -> list[list[dict[str, Any]]]:
        """Give the nearest `limit` hits of each probe that reach the floor, best first."""
        radius = float(np.nextafter(np.float32(floor), np.float32(-np.inf)))  # it wants more
        params = {"metric_type": "IP", "params": {"radius": radius} if floor > -1 else {}}
        with _faults_translated():
            answers = self._client.search(
                self._collection,
                list(probes),
                filter=ids,
                limit=limit,
                anns_field="vector",
                search_params=params,
                output_fields=["id"],
                consistency_level=_STRONG,
            )
        return [list(hits) for hits in answers]

    def _all_hits(
        self, probe: FloatArray, floor: float, start: int, stop: int
    ) -> list[dict[str, Any]]:
        """Halve a span of ids until no answer can have been cut off."""
        inside = f"id >= {start} and id < {stop}"
        (hits,) = self._ask(probe[None], self._most_hits, floor, inside)
        if len(hits) < self._most_hits or stop - start == 1:
            return hits
        middle = (start + stop) // 2
        return [
            *self._all_hits(probe, floor, start, middle),
            *self._all_hits(probe, floor, middle, stop),
        ]

    def _stop(self) -> int:
        """The end of the last partition's run."""
        with _faults_translated():
            names = self._client.list_partitions(self._collection)
        starts = [int(name[len(_PREFIX) :]) for name in names if name.startswith(_PREFIX)]
        return max(starts, default=0) + RUN

    def _ids(self) -> IdArray:
        """(n,) int64, ascending; read page by page."""
        pages = [np.empty(0, np.int64)]
        with _faults_translated():
            iterator = self._client.query_iterator(
                self._collection,
                batch_size=self._most_hits,
                filter="id >= 0",
                output_fields=["id"],
                consistency_level=_STRONG,
            )
            while page := iterator.next():
                pages.append(np.array([row["id"] for row in page], np.int64))
            iterator.close()
        return np.sort(np.concatenate(pages))


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except MilvusException as error:
        raise IndexUnavailable(f"Milvus failed with code {error.code}: see its log") from error
