"""What each setting means, for people: the texts of docs/*/settings.md without their links.

``DAZI_TEXTS=1 pytest tests/console/test_settings_page.py`` writes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

TEXTS: Mapping[str, Text] = {
    "company": Text(
        "公司目录。不设：当前目录有 dazi.toml 就用它，否则演示公司",
        "the company folder. Unset: the current folder if it has a dazi.toml, else the demo "
        "company",
    ),
    "data": Text(
        "数据目录：数据库、审计账本、选用的模型、邮件。不设：公司目录下的 .dazi；演示公司在 "
        "~/.local/share/dazi/demo（或 $XDG_DATA_HOME/dazi/demo）。make run 设为仓库里的 .dazi",
        "the data folder: databases, audit ledger, chosen model, mail. Unset: .dazi in the "
        "company folder; for the demo company ~/.local/share/dazi/demo (or "
        "$XDG_DATA_HOME/dazi/demo). make run sets it to .dazi in the repository",
    ),
    "database": Text(
        "postgresql://用户:密码@主机/数据库，要装 pip install "
        "'dazi[postgresql]'。不设：数据目录里的 SQLite",
        "postgresql://USER:PASSWORD@HOST/DATABASE; needs pip install 'dazi[postgresql]'. "
        "Unset: SQLite in the data folder",
    ),
    "backup_passphrase": Text(
        "备份的口令。不设：用 --passphrase-file，或当场询问",
        "the passphrase of backups. Unset: --passphrase-file, or it is asked for",
    ),
    "host": Text(
        "监听地址。有演示用户时只能是本机地址",
        "address to listen on. With demo users, loopback only",
    ),
    "port": Text(
        "端口",
        "port",
    ),
    "today": Text(
        "固定日期，如 2025-04-03",
        "freezes the date, such as 2025-04-03",
    ),
    "model": Text(
        "模型名、目录、GGUF 文件或服务 URL。不设：用 dazi model use 选的，否则内置模型",
        "a model's name, folder, GGUF file or server URL. Unset: what dazi model use chose, "
        "else the bundled one",
    ),
    "api_key": Text(
        "模型服务要的密钥",
        "the key that a model server asks for",
    ),
    "pool": Text(
        "写着多个模型服务的文件。不设：公司目录里的 models.yaml，有就用",
        "the file that declares several model servers. Unset: models.yaml of the company "
        "folder, where there is one",
    ),
    "evaldata": Text(
        "公开评测数据在哪里（里面是 bfcl、acebench、cmrc2018 等目录），给 dazi eval run 用",
        "where public evaluation data lies (folders such as bfcl, acebench, cmrc2018), for "
        "dazi eval run",
    ),
    "bfcl_python": Text(
        "评测 bfcl-turns 用哪个 Python：装了 bfcl-eval 的环境的",
        "the Python that dazi eval run bfcl-turns uses: of an environment with bfcl-eval",
    ),
    "hub": Text(
        "dazi model add 所有者/名字 从哪里下载：huggingface、modelscope、镜像的 "
        "URL（魔搭接口的写 modelscope:URL），或 off 不许下载",
        "where dazi model add OWNER/NAME downloads from: huggingface, modelscope, a mirror's "
        "URL (modelscope:URL if it speaks as ModelScope does), or off to forbid it",
    ),
    "hub_token": Text(
        "要同意条款的模型要的令牌；只发给 DAZI_HUB 写的模型站",
        "the token for models whose terms want agreement; it goes only to the hub that "
        "DAZI_HUB names",
    ),
    "hub_files": Text(
        "镜像会转去取文件的内部主机，如 "
        "https://minio.example.com，几个用逗号隔开。公网主机不用写，只走 https",
        "hosts in the house to which a mirror sends for files, like "
        "https://minio.example.com, with commas. Public hosts need no entry and are reached "
        "by https only",
    ),
    "embedding_url": Text(
        "向量服务的地址（OpenAI 兼容）",
        "an OpenAI-compatible server of embeddings",
    ),
    "embedding_model": Text(
        "那边的模型名；没有地址时是一个文件夹，在本进程里打开：OpenVINO "
        "模型（openvino_model.xml、openvino_tokenizer.xml），或 BERT "
        "系列（model.safetensors、tokenizer.json、config.json）；池化、长度和前缀取自其中 "
        "sentence-transformers 的文件。设置了它才有 /v1/embeddings 和按意思的检索",
        "the model's name there; without a URL a folder, opened in this process: an OpenVINO "
        "model (openvino_model.xml, openvino_tokenizer.xml), or one of the BERT family "
        "(model.safetensors, tokenizer.json, config.json); pooling, length and prefixes are "
        "taken from its sentence-transformers files. Without it there is no /v1/embeddings "
        "and no search by meaning",
    ),
    "embedding_key": Text(
        "那边要的密钥",
        "the key it asks for",
    ),
    "embedding_question": Text(
        "问题前面加的指令，有的模型需要；代替模型文件夹里写的",
        "an instruction before questions, which some models need; in place of what the "
        "model's folder says",
    ),
    "batch_texts": Text(
        "几个人的问题一起算向量，一批最多几个",
        "questions of several people are embedded together, so many at most",
    ),
    "batch_wait_ms": Text(
        "前一批还在算时，下一批最多等多少毫秒再开始；没有在算的就不等",
        "while a batch is worked on, the next waits no longer than this, in milliseconds; "
        "where none is, nothing waits",
    ),
    "weights_key": Text(
        "加密权重的密钥本身：32 字节，写成十六进制或 base64",
        "the key of encrypted weights itself: 32 bytes in hexadecimal or base64",
    ),
    "weights_key_file": Text(
        "放密钥的文件",
        "a file that holds it",
    ),
    "weights_key_command": Text(
        "打印密钥的命令，如密钥管理服务的客户端。三个只设一个",
        "a command that prints it, such as a client of a key-management service. Of the "
        "three, set one",
    ),
    "weights_folder": Text(
        "载入时解密后的权重放在哪里。不设：/dev/shm，必须在内存里；写在这里的不查",
        "where weights lie decrypted while they are loaded. Unset: /dev/shm, which has to be "
        "in memory; what is named here need not be",
    ),
    "rerank_url": Text(
        "重排服务的地址：有 /rerank 的服务（vLLM、TEI、Jina、Cohere 的形式）；以 /rerank "
        "结尾的原样使用，否则加在后面",
        "a reranking server: one with a /rerank route (in the form of vLLM, TEI, Jina or "
        "Cohere); taken as it is where it ends with /rerank, else that is added",
    ),
    "rerank_model": Text(
        "那边的模型名；没有地址时是一个 OpenVINO 重排模型的文件夹，在本进程里打开",
        "the model's name there; without a URL the folder of an OpenVINO reranker, opened in "
        "this process",
    ),
    "rerank_key": Text(
        "那边要的密钥",
        "the key it asks for",
    ),
    "knowledge_seconds": Text(
        "每隔多少秒看一遍文档的文件夹；看一遍很久时，隔得相应更长",
        "how often, in seconds, folders of documents are looked through; seldomer where that "
        "takes long",
    ),
    "knowledge_upload_bytes": Text(
        "上传的文档最大多少字节",
        "the largest document that may be uploaded, in bytes",
    ),
    "knowledge_outside_seconds": Text(
        "每隔多少秒再取一次网页来源、再查一次数据库来源",
        "how often, in seconds, web pages are fetched again and databases asked again",
    ),
    "knowledge_ocr": Text(
        "识别文档里图片上的文字（要装 ocr 扩展）：几分钟而不是几秒",
        "recognise text in pictures of documents (the ocr extra): minutes instead of seconds",
    ),
    "milvus_url": Text(
        "http://主机:19530：公司文档的索引放在 Milvus 里；后面加 /库名 是其中的一个库。需要 "
        "pip install 'dazi[milvus]'。不设：放在数据目录里",
        "http://HOST:19530: a Milvus server has the index of documents; /NAME behind it is a "
        "database there. Needs pip install 'dazi[milvus]'. Unset: a folder in the data folder",
    ),
    "milvus_token": Text(
        "它要的 用户:密码 或密钥",
        "USER:PASSWORD or the key it asks for",
    ),
    "model_wait_seconds": Text(
        "模型服务最多沉默多少秒（等第一段、两段之间）；整个回答最多这么多秒，再加上要求的每个"
        "词元一秒",
        "how long a model server may be silent, before the first piece of an answer and "
        "between two; a whole answer has that much and a second more for each token asked for",
    ),
    "model_health_seconds": Text(
        "只有一个模型服务时，每隔多少秒看它一次（GET /models），供告警和 /pool "
        "用；0：不看。models.yaml 里的服务有自己的 health_seconds",
        "how often, in seconds, an only model server is looked at (GET /models), for alerts "
        "and /pool; never with 0. Servers in models.yaml have health_seconds of their own",
    ),
    "tune_python": Text(
        "调优用哪个 Python：装了 tune 附加包的环境的；不设就是正在运行的这个",
        "the Python that tuning uses: of an environment with the tune extra; unset: the one "
        "that runs",
    ),
    "tls_cert": Text(
        "证书（PEM）；和私钥一起写了，就只走 HTTPS",
        "the certificate (PEM); with its key it speaks HTTPS only",
    ),
    "tls_key": Text(
        "证书的私钥（PEM）",
        "the certificate's key (PEM)",
    ),
    "public_url": Text(
        "浏览器访问本系统的地址，如 https://dazi.example.com；用统一登录时要写（只在本机用时不用）",
        "where browsers reach this server, as in https://dazi.example.com; needed for single "
        "sign-on (not on this machine alone)",
    ),
    "drain_seconds": Text(
        "收到停止信号后，/readyz 先变成 "
        "503，再照常应答这么多秒，然后不接新请求，等手上的做完；再来一次信号立即停",
        "after the signal to stop /readyz says 503 and for so long all is answered as "
        "before; then nothing new is taken and what is under way ends. A second signal stops "
        "at once",
    ),
    "threads": Text(
        "内置引擎用几个处理器线程。不设：由引擎决定",
        "processor threads of the built-in engine. Unset: the engine decides",
    ),
    "cache_gb": Text(
        "内置引擎的键值缓存，GiB。不设：四个完整上下文，至多内存的四分之一",
        "the built-in engine's key/value cache in GiB. Unset: four full contexts, a quarter "
        "of the memory at most",
    ),
    "max_body_bytes": Text(
        "请求体上限，字节",
        "largest request body, in bytes",
    ),
    "max_message_chars": Text(
        "一条消息的上限，字符",
        "longest message, in characters",
    ),
    "max_concurrent": Text(
        "同时回答几个请求；再多的排队",
        "requests answered at once; more wait in a queue",
    ),
    "max_queued": Text(
        "满了以后还能排队的个数，各租户轮流；再多的立即拒绝，给出 Retry-After",
        "so many more wait for a place, tenants in turn; what is beyond is refused at once "
        "with Retry-After",
    ),
    "queue_seconds": Text(
        "排队最多等几秒",
        "how long one may wait in that queue",
    ),
    "metrics_token": Text(
        "监控的令牌：/metrics 和 /scaling 要它。不设：只答本机",
        "the token of a monitor, for /metrics and /scaling. Without one they answer on this "
        "machine only",
    ),
    "log": Text(
        "日志的样子：text，或每行一个 JSON 的 json",
        "lines of the log: text, or json, an object a line",
    ),
    "log_level": Text(
        "debug、info、warning、error；info 时每个请求一行",
        "debug, info, warning, error; with info there is a line for each request",
    ),
    "otlp_url": Text(
        "OpenTelemetry 收集器（http://主机:4318）；不设就没有链路",
        "an OpenTelemetry collector (http://HOST:4318); without one there are no traces",
    ),
    "otlp_headers": Text(
        "给收集器的请求头：名=值，逗号隔开",
        "headers for the collector: name=value, with commas",
    ),
    "trace_share": Text(
        "在这里开始的链路留多少",
        "the share of traces begun here that is kept",
    ),
    "scaling_target": Text(
        "/scaling 想让名额用到几成",
        "the share of places that /scaling wants taken",
    ),
    "scaling_least": Text(
        "至少要几份",
        "replicas at least",
    ),
    "scaling_most": Text(
        "至多要几份",
        "replicas at most",
    ),
    "scaling_up_seconds": Text(
        "连着这么多秒都需要，才要加",
        "more are asked for once they were needed for so long on end",
    ),
    "scaling_down_seconds": Text(
        "连着这么多秒都用不着，才要减",
        "fewer are asked for once they would have done for so long",
    ),
    "redis": Text(
        "redis://主机:6379/0：限额由几个进程一起算",
        "redis://HOST:6379/0: several processes count limits together",
    ),
    "turn_tokens": Text(
        "一轮对话先按这么多词元预留限额",
        "what a turn takes of a limit on tokens until it is known what it used",
    ),
    "turn_seconds": Text(
        "一轮最长多少秒",
        "longest turn, in seconds",
    ),
    "turn_rounds": Text(
        "一轮里模型最多想几回",
        "model rounds in a turn",
    ),
    "turn_calls": Text(
        "一轮里最多调用几次",
        "calls in a turn",
    ),
    "answer_tokens": Text(
        "一次生成的词元上限",
        "most tokens of one generation",
    ),
    "context_tokens": Text(
        "一次给模型的词元上限，连同回答；0 按模型定，见记忆",
        "most tokens of one prompt with its answer; 0: by the model, see memory",
    ),
    "memory_turns": Text(
        "最近几轮原文给模型",
        "how many of the last turns the model gets word for word",
    ),
    "memory_digest_tokens": Text(
        "一个会话更早内容的摘要最多多少词元",
        "most tokens that the older turns of one thread come to",
    ),
    "share_live": Text(
        "本轮结果最多占几成",
        "most of a prompt for this turn's results",
    ),
    "share_short": Text(
        "最近几轮最多占几成",
        "most of it for the last turns",
    ),
    "share_middle": Text(
        "更早的摘要最多占几成",
        "most of it for older turns",
    ),
    "share_long": Text(
        "记住的事最多占几成",
        "most of it for facts",
    ),
    "confirmation_seconds": Text(
        "确认单多久过期，秒",
        "after how many seconds a confirmation expires",
    ),
    "approval_seconds": Text(
        "等第二个人批准的单子多久过期，秒（三天）",
        "when a ticket that waits for a second person expires, in seconds (three days)",
    ),
    "read_attempts": Text(
        "系统暂时不可用时，读最多试几次；写从不重试",
        "how often a read is tried when its system is unavailable; a write never is again",
    ),
    "rest_after_failures": Text(
        "一个系统连续失败几次后暂停使用",
        "failures in a row after which a system is left alone",
    ),
    "rest_seconds": Text(
        "暂停多久，秒；之后先放一次试探",
        "for how long, in seconds; then one call tries it",
    ),
    "audit_days": Text(
        "审计记录保留多少天，至少 184；更早的在运行时每天清理一次，每段留下签名锚点",
        "how long audit records are kept, 184 at least; older ones are removed once a day "
        "while serving, each run leaving a signed anchor",
    ),
    "audit_verify_seconds": Text(
        "多久在后台把整个审计账本核对一遍；0 是从不",
        "how often the whole ledger is verified in the background; never with 0",
    ),
    "alerts_seconds": Text(
        "多久把告警规则看一遍，至少 5",
        "how often the rules of alerts are looked at, 5 at the least",
    ),
    "thread_days": Text(
        "会话在最后一条消息之后、确认单和写操作在了结之后保留多少天；更早的在运行时每天删除一次",
        "how long a thread is kept after its last message, and a confirmation or a call of a "
        "writing tool after it is over; older ones are deleted once a day while serving",
    ),
    "thread_archive_days": Text(
        "多少天没有新消息的会话自动归档（每天一次）；0 是不自动归档",
        "after how many days without a message a thread is archived by itself (once a day); "
        "0 for never",
    ),
    "jobs_at_once": Text(
        "这个进程同时做几个后台任务；0 是不做，由别的进程做",
        "background jobs that this process works on at once; 0 for none, others do",
    ),
    "jobs_waiting": Text(
        "一个人最多有几个没做完的任务，再多就拒绝",
        "jobs of one person that are not done; more are refused",
    ),
    "job_days": Text(
        "任务和它的结果在结束后保留多少天",
        "for how many days after its end a job is kept, with its results",
    ),
    "job_file_bytes": Text(
        "任务的一个文件最多多少字节",
        "the largest file of a job, in bytes",
    ),
    "feedback_days": Text(
        "反馈和没答上的问题保留多少天",
        "for how many days feedback and unanswered questions are kept",
    ),
    "feedback_ground": Text(
        "凭什么从反馈学习：person 要本人同意，company 是公司自己的规定允许用工作中的对话",
        "on what ground feedback is learned from: person, each person's own consent; "
        "company, the company's own rules for what is said at work",
    ),
    "learn_least": Text(
        "新采纳的样本到多少条，定时的学习才做一版数据集",
        "how many newly accepted samples make the scheduled learning make a dataset",
    ),
    "learn_command": Text(
        "数据集做好后训练适配器的命令，{dataset}、{version} 会换成数据集的；退出码 0 "
        "是过了门槛，1 是没过。不设：做好数据集就结束",
        "the command that trains an adapter from the dataset, {dataset} and {version} being "
        "filled in; status 0: it passed its gate, 1: it did not. Unset: it ends with the "
        "dataset",
    ),
    "audit": Text(
        "durable 写进数据库，进程被杀也在；synced 每批还等磁盘落盘，断电也在；memory "
        "只在内存里，供测速",
        "durable: in the database, outlives the process; synced: waits for the disk as well, "
        "outlives a power cut; memory: in memory only, for benchmarks",
    ),
    "lang": Text(
        "命令行消息的语言：zh 或 en。不设：看系统语言",
        "language of command-line messages, zh or en. Unset: the system's",
    ),
}
