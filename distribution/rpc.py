"""Requests to one JSON-RPC endpoint, and its failures as errors of ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from eth_abi.exceptions import DecodingError
from requests import Session
from requests.exceptions import HTTPError, RequestException, Timeout
from requests.utils import get_auth_from_url, get_netrc_auth
from web3 import HTTPProvider, Web3
from web3.exceptions import (
    ContractLogicError,
    TimeExhausted,
    Web3Exception,
    Web3RPCError,
)
from web3.middleware import BufferedGasEstimateMiddleware
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import RPCEndpoint

from distribution.errors import ChainTimeout, ChainUnreachable, DistributionError
from distribution.refusals import refusal

_REVERTED = "execution reverted: "
_T = TypeVar("_T")


def open_web3(url: str, timeout: float) -> Web3:
    """web3 without most of its middleware, which asks for the chain's id before each call.

    Args:
        timeout: seconds that the node has for an answer.
    """
    provider = HTTPProvider(
        url,
        session=_session(url),
        request_kwargs={"timeout": timeout},
        # Busy endpoints answer 429 or 503 and are asked again; a hanging one is not.
        exception_retry_configuration=ExceptionRetryConfiguration(errors=(HTTPError,)),
    )
    return Web3(provider, middleware=[(BufferedGasEstimateMiddleware, "gas")])


def _session(url: str) -> Session:
    """A session that looks proxies, certificates and netrc up now, and not before each request."""
    session = Session()
    found: dict[str, Any] = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies = found["proxies"]
    if url.startswith("https:"):
        session.verify = found["verify"]
    session.auth = get_netrc_auth(url) if get_auth_from_url(url) == ("", "") else None
    session.trust_env = False
    return session


class JsonRpc:
    """What is asked, by web3 or as it goes over the wire."""

    def __init__(self, web3: Web3) -> None:
        self._web3 = web3

    def _request(self, method: str, *parameters: Any) -> Any:
        """The result of one request, as the node wrote it."""
        with self._made_sense():
            return self._ask(
                lambda: _result(self._provider.make_request(RPCEndpoint(method), parameters))
            )

    def _request_each(self, requests: Sequence[tuple[str, Any]]) -> list[Any]:
        """The results of many, asked for together."""
        with self._made_sense():
            return self._ask(lambda: [_result(answer) for answer in self._answers(requests)])

    def _attempt_each(self, requests: Sequence[tuple[str, Any]]) -> list[Any]:
        """The same, with a `DistributionError` in the place of what the node refused."""

        def result(answer: Mapping[str, Any]) -> Any:
            try:
                return self._ask(lambda: _result(answer))
            except DistributionError as refused:
                return refused

        with self._made_sense():
            return [result(answer) for answer in self._ask(lambda: self._answers(requests))]

    def _answers(self, requests: Sequence[tuple[str, Any]]) -> Sequence[Mapping[str, Any]]:
        if not requests:
            return []
        batch = [(RPCEndpoint(method), parameters) for method, parameters in requests]
        answers = self._provider.make_batch_request(batch)
        if not isinstance(answers, list):
            raise Web3RPCError(str(answers.get("error")))
        if len(answers) != len(batch):
            raise Web3RPCError("it answered not every request")
        return answers

    @property
    def _provider(self) -> HTTPProvider:
        return cast(HTTPProvider, self._web3.provider)

    @contextmanager
    def _made_sense(self) -> Iterator[None]:
        """An answer that cannot be decoded is the node's fault."""
        try:
            yield
        except (DecodingError, KeyError, ValueError, TypeError) as odd:
            raise DistributionError(
                f"the node's answer could not be used: {type(odd).__name__}"
            ) from odd

    def _ask(self, request: Callable[[], _T]) -> _T:
        """Run `request`, with web3's errors as ours."""
        try:
            return request()
        except ContractLogicError as reverted:
            raise refusal(_reason(reverted)) from reverted
        except Web3RPCError as refused:
            raise DistributionError(f"the node refused the request: {refused}") from refused
        except (Timeout, TimeExhausted) as silent:
            raise ChainTimeout(
                "the chain did not answer in time: what was sent may still arrive, look before you "
                "send it again"
            ) from silent
        except (RequestException, OSError) as lost:
            raise ChainUnreachable(
                "the chain stopped answering: nothing is lost, try again when it is back"
            ) from lost
        except Web3Exception as fault:
            raise DistributionError(f"the node's answer could not be used: {fault}") from fault


def _result(answer: Mapping[str, Any]) -> Any:
    if (error := answer.get("error")) is not None:
        raise Web3RPCError(str(error))
    return answer["result"]


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def to_hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def _reason(reverted: ContractLogicError) -> str:
    message = str(reverted.message or "no reason given")
    return message.removeprefix(_REVERTED)
