"""The chain as the settings name it, and from which account, and how, is sent to it."""

from distribution.chain import Chain
from distribution.deployment import Deployment
from distribution.sender import GWEI, SendingPolicy
from personhood.settings import Settings
from uniqueness.key_files import load_or_create_key

LOCAL_CONFIRMATIONS, CONFIRMATIONS = 1, 12


def open_chain(settings: Settings) -> tuple[Chain, Deployment]:
    """The chain, and the contracts that are seen to stand on it."""
    chain = Chain.connect(settings.rpc_url, settings.gas_key())
    return chain, Deployment.read(settings.deployment_file()).check(chain)


def sending_key(settings: Settings, role: str) -> str:
    """The key that is set, or one of the role's own, made on first use."""
    if (given := settings.gas_key()) is not None:
        return given
    return "0x" + load_or_create_key(settings.sending_key_file(role)).hex()


def sending_policy(settings: Settings, chain: Chain) -> SendingPolicy:
    confirmations = settings.confirmations or (
        LOCAL_CONFIRMATIONS if chain.holds_accounts else CONFIRMATIONS
    )
    return SendingPolicy(confirmations, max_fee=settings.max_fee_gwei * GWEI)
