"""Settings: environment variables ``DAZI_*``, then defaults. Command-line options win over both."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from dazi.audit.days import DEFAULT_DAYS
from dazi.prompt.budget import ContextRules, Shares

PACKAGE = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every limit has a number and a setting here; docs/zh/settings.md lists them."""

    model_config = SettingsConfigDict(env_prefix="DAZI_", extra="ignore")

    company: Path | None = None
    """The company folder; without one, the current folder if it has a dazi.toml, else the demo."""
    data: Path | None = None
    """Where databases and files are kept; ``.dazi`` in the company folder, or the user's data
    folder for the demo."""
    database: str = Field("", repr=False)
    """``postgresql://user:password@host/db``; without one, SQLite in the data folder."""
    backup_passphrase: str = Field("", repr=False)
    """What ``dazi backup`` encrypts with; without one it asks."""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    today: date | None = None
    """Freezes the date: for demonstrations and tests."""
    model: str = ""
    """A model's name, folder, GGUF file or server URL; without one, what ``dazi model use`` chose."""
    api_key: str = ""
    """The key that a model server asks for."""
    pool: Path | None = None
    """A file that declares several model servers; without one, ``models.yaml`` of the company folder
    where there is one."""
    evaldata: Path | None = None
    """Where public evaluation data lies (``bfcl/``, ``cmrc2018/`` and so on), for ``dazi eval run``."""
    bfcl_python: str = ""
    """The Python of an environment with ``bfcl-eval``, for ``dazi eval run bfcl-turns``."""
    hub: str = "huggingface"
    """Where ``dazi model add OWNER/NAME`` downloads from: ``huggingface``, ``modelscope``, a mirror's
    URL (``modelscope:URL`` if it speaks as ModelScope does), or ``off``."""
    hub_token: str = Field("", repr=False)
    """For models that ask for one; it goes to that hub only."""
    hub_files: str = ""
    """Hosts in the house (``https://host:port``, with commas) to which a mirror sends for files."""
    embedding_url: str = ""
    embedding_model: str = ""
    embedding_key: str = ""
    """An OpenAI-compatible server of embeddings, the model's name there, and the key it asks for.
    Without a server the model is a folder, opened in this process."""
    embedding_question: str = ""
    """What an embedding model wants before a question, in place of what its folder says."""
    batch_texts: int = Field(32, ge=1, le=256)
    batch_wait_ms: float = Field(50, ge=0)
    """Questions of several people are embedded together: so many at most, and while a batch is worked
    on the next waits no longer than this to be begun."""
    weights_key: str = Field("", repr=False)
    weights_key_file: Path | None = None
    weights_key_command: str = Field("", repr=False)
    """What encrypted weights are opened with: the key itself, a file of it, or a command that prints it.
    One of the three."""
    weights_folder: Path | None = None
    """Where they lie decrypted while they are loaded; without one, shared memory. Somebody answers for
    it: on a disk, the plain text is on that disk."""
    rerank_url: str = ""
    rerank_model: str = ""
    rerank_key: str = ""
    """A server with a ``/rerank`` route, the model's name there, and the key it asks for. Without a
    server the model is a folder, opened in this process."""
    knowledge_seconds: float = Field(60.0, ge=1)
    """How often folders of documents are looked through for what is new."""
    knowledge_upload_bytes: int = Field(50_000_000, ge=1)
    """The largest file that a manager may upload."""
    knowledge_outside_seconds: float = Field(3_600.0, ge=60)
    """How often web pages are fetched again and databases asked again for documents."""
    knowledge_ocr: bool = False
    """Pictures of text are recognised in documents (the ``ocr`` extra): minutes instead of seconds."""
    milvus_url: str = Field("", repr=False)
    milvus_token: str = Field("", repr=False)
    """A Milvus server that keeps the index of documents, and ``user:password`` or the key it asks for;
    without one, the data folder keeps it."""
    model_wait_seconds: float = Field(60.0, gt=0)
    """How long a model server may be silent, before the first piece of an answer and between two."""
    model_health_seconds: float = Field(5.0, ge=0)
    """How often an only model server is looked at; never with 0. Those of a pool: ``models.yaml``."""
    tune_python: str = ""
    """The Python of an environment with the ``tune`` extra; without one, the one that runs."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    """Certificate and key (PEM): with them the server speaks HTTPS only."""
    public_url: str = ""
    """Where browsers reach this server (``https://...``): providers send them back there."""
    drain_seconds: float = Field(0.0, ge=0)
    """After the signal to stop: how long to go on answering while ``/readyz`` already says no."""
    threads: int | None = None
    """Processor threads of the embedded engine."""
    cache_gb: int | None = None
    """Memory for the embedded engine's key/value cache, in GiB."""
    max_body_bytes: int = 1_000_000
    max_message_chars: int = 100_000
    max_concurrent: int = 64
    """Turns at once."""
    max_queued: int = Field(64, ge=0)
    """So many more wait for a place, tenants in turn; others are refused with a time to come back."""
    queue_seconds: float = Field(2.0, gt=0)
    """How long one may wait in that queue."""
    metrics_token: str = Field("", repr=False)
    """What a monitoring system shows to read ``/metrics`` and ``/scaling``; without one they answer on
    this machine only."""
    log: Literal["text", "json"] = "text"
    """What lines of the log look like: for people, or a JSON object each."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """With ``info`` there is a line for each request."""
    otlp_url: str = ""
    """An OpenTelemetry collector (``http://host:4318``) that traces are sent to; without one there are
    none."""
    otlp_headers: str = Field("", repr=False)
    """``name=value`` with commas, for a collector that asks for a key."""
    trace_share: float = Field(1.0, ge=0, le=1)
    """Of the traces that begin here, the share that is kept."""
    scaling_target: float = Field(0.7, gt=0, le=1)
    scaling_least: int = Field(1, ge=0)
    scaling_most: int = Field(10, ge=1)
    scaling_up_seconds: float = Field(30.0, ge=0)
    scaling_down_seconds: float = Field(300.0, ge=0)
    """What ``/scaling`` asks for: the share of places that is to be taken, how many replicas at least
    and at most, and how long more, or fewer, must have been needed."""
    redis: str = ""
    """``redis://host:6379/0``: limits are counted there, for several processes together."""
    turn_tokens: int = Field(4_000, ge=1)
    """What a turn takes of a limit on tokens until it is known what it used."""
    turn_seconds: float = 90.0
    turn_rounds: int = 6
    turn_calls: int = 12
    answer_tokens: int = 1024
    context_tokens: int = Field(0, ge=0)
    """What a prompt and its answer may have together; 0 for what suits the model."""
    memory_turns: int = Field(5, ge=1)
    """So many of a thread's last turns are given word for word."""
    memory_digest_tokens: int = Field(2_000, ge=100)
    """What the older turns of one thread may come to."""
    share_live: float = Field(0.6, gt=0, le=1)
    share_short: float = Field(0.5, gt=0, le=1)
    share_middle: float = Field(0.15, gt=0, le=1)
    share_long: float = Field(0.1, gt=0, le=1)
    """Of a prompt's tokens: this turn's results, the last turns, older ones, facts."""
    confirmation_seconds: float = 900.0
    approval_seconds: float = 259_200.0
    """How long a second person has to approve."""
    read_attempts: int = Field(3, ge=1, le=10)
    """How often a read is tried when its system is unavailable."""
    rest_after_failures: int = Field(5, ge=1)
    rest_seconds: float = Field(15.0, gt=0)
    """A system that failed so often in a row is left alone for so long."""
    audit_days: int = DEFAULT_DAYS
    """So long audit records are kept; those that are older go while serving, once a day."""
    audit_verify_seconds: float = Field(86_400.0, ge=0)
    """How often the whole ledger is verified in the background while serving; never with 0."""
    alerts_seconds: float = Field(15.0, ge=5)
    """How often rules of alerts are looked at."""
    thread_days: int = Field(365, ge=1)
    """So long after its last message a thread is kept, and confirmations and effects after they
    are over."""
    thread_archive_days: int = Field(90, ge=0)
    """So long after its last message a thread goes out of its owner's list; never with 0."""
    jobs_at_once: int = Field(1, ge=0, le=64)
    """Jobs that this process works on at once; with 0 others do."""
    jobs_waiting: int = Field(1_000, ge=1)
    """Jobs of one person that are not done; more are refused."""
    job_days: int = Field(30, ge=1)
    """So long after its end a job is kept, with its results."""
    job_file_bytes: int = Field(50_000_000, ge=1)
    """The largest file of a job, given to it or made by it."""
    feedback_days: int = Field(365, ge=1)
    """So long feedback and unanswered questions are kept."""
    feedback_ground: Literal["person", "company"] = "person"
    """On what ground feedback is learned from: each person's own consent, or the company's own rules
    for what is said at work."""
    learn_least: int = Field(200, ge=1)
    """So many newly accepted samples are worth a dataset of the schedule."""
    learn_command: str = ""
    """What trains an adapter from that dataset, beside the service; without one the schedule ends with
    the dataset."""
    audit: Literal["durable", "synced", "memory"] = "durable"
    """Records outlive the process (``durable``), a power cut too (``synced``), or neither
    (``memory``)."""

    def company_folder(self) -> Path:
        if self.company is not None:
            return self.company
        here = Path.cwd()
        return here if (here / "dazi.toml").is_file() else demo_folder()

    def context_rules(self) -> ContextRules:
        shares = Shares(self.share_live, self.share_short, self.share_middle, self.share_long)
        return ContextRules(
            self.context_tokens, self.memory_turns, self.memory_digest_tokens, shares
        )

    def data_folder(self, company: Path) -> Path:
        if self.data is not None:
            return self.data.absolute()
        if company != demo_folder():
            return company.absolute() / ".dazi"
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        return Path(base) / "dazi" / "demo"


def demo_folder() -> Path:
    """The demo company: beside the source, or inside an installed package."""
    beside = PACKAGE.parent.parent / "examples" / "yunshan"
    return beside if beside.is_dir() else PACKAGE / "examples" / "yunshan"
