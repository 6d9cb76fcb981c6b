# pragma version ==0.4.3
"""
@title What the attesters may do to the pool
@license MIT
@notice Two things, each signed by a quorum of the registry's current attesters: stop claims for
        a while, and move the pool, in the open and not before `migrationDelay` has passed.
        Whoever signs an action signs its number too, so that none can be repeated.
@custom:reverts Signatures are refused by the registry, with its reasons.
        "distributor: registry is no contract"
        "distributor: paused"
        "distributor: unchanged"                already paused, or not paused
        "distributor: nowhere to migrate"       no migration announced, or to the pool itself
        "distributor: migration not due"        its delay has not passed
        "distributor: transfer failed"          the destination refused the pool
"""

from . import eip712
from . import treasury

uses: treasury


interface Registry:
    def attesterSet() -> uint256: view
    def requireQuorum(
        digest: bytes32, signatures: DynArray[uint256[2], MAX_ATTESTERS]
    ) -> bool: view


event Paused:
    since: uint256


event Resumed:
    pausedSeconds: uint256


event MigrationAnnounced:
    destination: indexed(address)
    due: uint256


event Migrated:
    destination: indexed(address)
    amount: uint256


MAX_ATTESTERS: constant(uint256) = 32

NAME: constant(bytes32) = keccak256("UbiDistributor")
PAUSE_TYPE: constant(bytes32) = keccak256(
    "Pause(uint256 attesterSet,uint256 action,bool paused)"
)
MIGRATION_TYPE: constant(bytes32) = keccak256(
    "Migration(uint256 attesterSet,uint256 action,address destination)"
)

# @notice The registry whose members are paid, and whose attesters are the stewards.
registry: public(immutable(address))

# @notice Seconds between the announcement of a migration and the first moment it can happen.
migrationDelay: public(immutable(uint256))

# @notice Number of the next action that attesters can sign.
action: public(uint256)

# @notice When the present pause began, in seconds since 1970; 0 while claims run.
pausedSince: public(uint256)

# @notice Where the pool will go; zero while no migration is announced. And when it first can.
destination: public(address)
due: public(uint256)

_paused_before: uint256  # seconds of all pauses that are over


@deploy
def __init__(registry_: address, migrationDelay_: uint256):
    """
    @param registry_ The personhood registry.
    @param migrationDelay_ Seconds from announcement to migration.
    """
    assert registry_.is_contract, "distributor: registry is no contract"
    registry = registry_
    migrationDelay = migrationDelay_


@external
@nonreentrant
def setPaused(paused: bool, signatures: DynArray[uint256[2], MAX_ATTESTERS]):
    """
    @notice Stop claims, or let them go on. Epochs go on meanwhile and can be opened, and the
            time for late claims is longer by the pause: nobody loses a claim by it.
    @param paused Whether claims shall stop.
    @param signatures Of attesters over `Pause`.
    """
    self._authorize(
        keccak256(abi_encode(PAUSE_TYPE, self._attester_set(), self.action, paused)), signatures
    )
    assert paused == (self.pausedSince == 0), "distributor: unchanged"
    if paused:
        self.pausedSince = block.timestamp
        log Paused(since=block.timestamp)
    else:
        self._paused_before = self._paused_seconds()
        self.pausedSince = 0
        log Resumed(pausedSeconds=self._paused_before)


@external
@nonreentrant
def announceMigration(
    newDestination: address, signatures: DynArray[uint256[2], MAX_ATTESTERS]
):
    """
    @notice Announce where the pool will go. A new announcement takes the place of the last, and
            begins the delay anew.
    @param newDestination Where to; zero takes an announcement back.
    @param signatures Of attesters over `Migration`.
    """
    self._authorize(
        keccak256(abi_encode(MIGRATION_TYPE, self._attester_set(), self.action, newDestination)),
        signatures,
    )
    assert newDestination != self, "distributor: nowhere to migrate"
    self.destination = newDestination
    self.due = block.timestamp + migrationDelay
    log MigrationAnnounced(destination=newDestination, due=self.due)


@external
@nonreentrant
def migrate():
    """
    @notice Move the pool where it was announced to go. Anybody may send it, once it is due.
    """
    to: address = self.destination
    assert to != empty(address), "distributor: nowhere to migrate"
    assert block.timestamp >= self.due, "distributor: migration not due"
    self.destination = empty(address)
    pool: uint256 = treasury._balance()
    log Migrated(destination=to, amount=pool)
    assert treasury._pay(to, pool), "distributor: transfer failed"


@internal
@view
def _require_running():
    assert self.pausedSince == 0, "distributor: paused"


@internal
@view
def _paused_seconds() -> uint256:
    """
    @return Seconds of all pauses so far, the present one included.
    """
    if self.pausedSince == 0:
        return self._paused_before
    return self._paused_before + block.timestamp - self.pausedSince


@internal
@view
def _attester_set() -> uint256:
    return staticcall Registry(registry).attesterSet()


@internal
def _authorize(structure: bytes32, signatures: DynArray[uint256[2], MAX_ATTESTERS]):
    digest: bytes32 = eip712._digest(NAME, structure)
    assert staticcall Registry(registry).requireQuorum(digest, signatures)
    self.action += 1
