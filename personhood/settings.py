"""The only reader of the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from uniqueness.index_kind import IndexKind


class Settings(BaseSettings):
    """Every setting, each from the variable ``PERSONHOOD_<NAME>`` where it is set.

    No secret has a default: what is not given is made once and kept in a file with mode 0600
    under `home`, or asked for.
    """

    model_config = SettingsConfigDict(
        env_prefix="PERSONHOOD_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(
        Path("~/.local/share/personhood"),
        description="where the database, the keys and the deployment file are kept",
    )
    cache: Path = Field(
        Path("~/.cache/personhood"),
        description="where models and circuit artifacts are kept; can be fetched again",
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the database; SQLite under `home` when unset"
    )
    model_pack: str = Field(
        "opencv", description="face models: opencv, buffalo_s or edgeface; several with +"
    )
    retiring_pack: str | None = Field(
        None, description="the pack that people were enrolled with, while they move to `model_pack`"
    )
    calibration: Path | None = Field(
        None, description="file of `personhood calibrate`; the pack's fixed thresholds when unset"
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="where the face models run")
    index: IndexKind = Field(
        IndexKind.FLAT, description="where templates are compared: flat, compact, gpu or milvus"
    )
    milvus_uri: str | None = Field(
        None, description="address of the Milvus cluster, for the index `milvus`"
    )
    milvus_token: SecretStr | None = Field(
        None, description="what the Milvus cluster asks for: user:password or an API key"
    )
    parties: Path | None = Field(
        None,
        description="`parties.json` of the three parties that match templates which nobody can "
        "read; the service matches by itself when unset",
    )
    log_origin: str = Field(
        "",
        description="the decision log's name in its checkpoints, such as log.example.org/people; "
        "made of its key when unset",
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file of the service's certificate and its chain, for `serve --tls`"
    )
    tls_key: Path | None = Field(None, description="PEM file of that certificate's private key")
    rpc_url: str = Field("http://127.0.0.1:8545", description="the chain's JSON-RPC endpoint")
    service_url: str = Field(
        "http://127.0.0.1:8000", description="the enrolment service, for `personhood enroll`"
    )
    console_url: str | None = Field(
        None,
        description="the https address under which operators open the console; "
        "http://localhost alone when unset",
    )
    kiosk_requests: int = Field(
        120, ge=1, description="most requests of one kiosk in a minute; a person takes two"
    )
    keep_images: bool = Field(
        True, description="whether people may let sealed pictures of them be kept"
    )
    recovery_days: int = Field(
        90, ge=0, description="between two recoveries of one person, at least"
    )
    pad_pack: str | None = Field(
        None,
        description="a model that looks for pictures of faces, such as pad-livenessnet; the "
        "challenge alone when unset",
    )
    capture: Literal["live", "photograph"] = Field(
        "live",
        description="what a kiosk has to send: `live`, frames that follow a challenge; "
        "`photograph`, one still, for trials alone: a printed face would pass",
    )
    template_key: SecretStr | None = Field(
        None, description="32 bytes in hex that encrypt templates; a file under `home` when unset"
    )
    template_keys_retired: SecretStr | None = Field(
        None, description="earlier template keys in hex, separated by commas; see `keys rotate`"
    )
    attesters: str | None = Field(
        None,
        description="addresses that attest, with commas between; keys made under `home` when unset",
    )
    log_witnesses: str | None = Field(
        None,
        description="who cosigns the decision log's checkpoints, KEY@URL with commas between; see "
        "`audit witness`",
    )
    attester_urls: str | None = Field(
        None,
        description="attesters that `publish` asks, URL or 0xADDRESS@URL with commas between; "
        "those whose keys are here when unset",
    )
    log_verifier: str | None = Field(
        None,
        description="the decision log's verifier key, for an attester; what the log says the first "
        "time is kept when unset",
    )
    quorum: int = Field(2, ge=1, description="how many attesters must sign, at deployment")
    sender_key: SecretStr | None = Field(
        None, description="32 bytes in hex of the account that pays gas; node-held when unset"
    )
    confirmations: int | None = Field(
        None,
        ge=1,
        description="blocks that make a transaction final; when unset 12, or 1 on a local chain",
    )
    max_fee_gwei: int = Field(
        500, ge=1, description="most that publisher and relayer pay for a unit of gas, in gwei"
    )
    publish_batch: int = Field(
        256, ge=1, le=512, description="changes of the group that are posted at once, at most"
    )
    publish_age: int = Field(
        300, ge=0, description="seconds after which `publish --watch` posts also fewer"
    )
    relayer_database_url: str | None = Field(
        None, description="SQLAlchemy address of a relayer's database; SQLite under `home` if unset"
    )
    relayer_fee: int = Field(
        0, ge=0, description="least fee that a relayer works for, in the token's smallest unit"
    )
    relayer_batch: int = Field(
        100, ge=1, le=100, description="claims that a relayer sends at once, at most"
    )
    relayer_age: int = Field(
        30, ge=0, description="seconds after which a relayer sends also fewer claims"
    )
    relayer_queue: int = Field(
        10_000, ge=1, description="claims that may wait at a relayer; one more is refused"
    )
    relayer_requests: int = Field(
        120, ge=1, description="most claims of one range of addresses (/24, /48) in a minute"
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="what Prometheus shows at /metrics, 16 characters or more; unset, no /metrics",
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="how the service logs: `json`, one object a line, or `text`"
    )
    wallet_password: SecretStr | None = Field(
        None, description="opens the wallet's keystore; asked for when unset"
    )

    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir() / 'personhood.db'}"

    def relayer_database(self) -> str:
        return self.relayer_database_url or f"sqlite:///{self.data_dir() / 'relayer.db'}"

    def data_dir(self) -> Path:
        """`home`, made on first use and readable by its owner alone."""
        path = self.home.expanduser()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def template_key_file(self) -> Path:
        return self.data_dir() / "template.key"

    def operator_key_file(self) -> Path:
        return self.data_dir() / "operator.key"

    def snapshot_file(self) -> Path:
        return self.data_dir() / "gallery.snapshot"

    def deployment_file(self) -> Path:
        return self.data_dir() / "deployment.json"

    def attester_keys_dir(self) -> Path:
        return self.data_dir() / "attesters"

    def witnessed_file(self) -> Path:
        return self.data_dir() / "log.witnessed"

    def attester_dir(self) -> Path:
        """What this machine's own attester keeps."""
        return self.data_dir() / "attester"

    def party_dir(self) -> Path:
        """The keys and the store of this machine's party of the private matching."""
        return self.data_dir() / "party"

    def coordinator_dir(self) -> Path:
        """The keys with which this machine's service asks the parties."""
        return self.data_dir() / "coordinator"

    def chain_state_file(self) -> Path:
        return self.data_dir() / "chain-state.json"

    def kiosk_file(self) -> Path:
        return self.data_dir() / "kiosk-device.json"

    def wallet_file(self) -> Path:
        return self.data_dir() / "wallet.json"

    def gas_key(self) -> str | None:
        """The key of the account that pays gas, where it is not the node's own."""
        return self.sender_key.get_secret_value() if self.sender_key else None

    def sending_key_file(self, role: str) -> Path:
        """The key of the account from which the publisher or the relayer sends."""
        return self.data_dir() / f"{role}.key"

    def metrics_access(self) -> str | None:
        return self.metrics_token.get_secret_value() if self.metrics_token else None

    def milvus_access(self) -> str:
        return self.milvus_token.get_secret_value() if self.milvus_token else ""

    def models_dir(self) -> Path:
        return self.cache.expanduser() / "models"

    def npm_dir(self) -> Path:
        """Where `npm install --prefix` puts the kiosk page's libraries without a checkout."""
        return self.cache.expanduser() / "npm/node_modules"

    def artifacts_dir(self) -> Path:
        return self.cache.expanduser() / "artifacts"


def describe_invalid(invalid: ValidationError) -> str:
    """Name each variable that cannot be used, and why; never its value."""
    return "; ".join(
        f"PERSONHOOD_{str(problem['loc'][0]).upper()}: {problem['msg']}"
        for problem in invalid.errors(include_input=False)
    )
