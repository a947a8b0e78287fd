"""Every route: the application and its document are made from these. A part of the service with
routes of its own lists them beside its handlers; here they are joined."""

from __future__ import annotations

from dazi.gateway import (
    alerts,
    contracts,
    desk,
    facts,
    jobs,
    metrics,
    pool,
    reports,
    resources,
    risk,
    scaling,
    threads,
)
from dazi.gateway.accounts import bodies
from dazi.gateway.accounts.routes import ROUTES as ACCOUNTS
from dazi.gateway.channels.routes import ROUTES as CHANNELS
from dazi.gateway.chat import chat
from dazi.gateway.embeddings import EmbeddingRequest, Embeddings, embeddings
from dazi.gateway.experiments import ROUTES as EXPERIMENTS
from dazi.gateway.feedback import ROUTES as FEEDBACK
from dazi.gateway.knowledge import bodies as knowledge
from dazi.gateway.knowledge import managing, reading
from dazi.gateway.prompts import ROUTES as PROMPTS
from dazi.gateway.reply import Completion
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.widget.routes import ROUTES as WIDGET
from dazi.gateway.wire import ChatRequest, Decision
from dazi.memory.export import ExportedThread

JSON = "application/json"
_THREAD = {"X-Dazi-Thread": "会话编号:沿用服务端保存的会话 / go on in a thread that is kept here"}
_TURN = (400, 401, 404, 409, 413, 429, 503)
_FACT = (400, 401, 404, 413, 503)
_ADMIN = (400, 401, 403, 404, 413, 503)
_SEARCH = (400, 401, 403, 404, 413, 429, 503)
_RISK = (400, 401, 403, 404, 503)
_DESK = (400, 401, 403, 404, 503)
_DESK_BODY = (400, 401, 403, 404, 413, 503)
_TICKETS = "/v1/dazi/tickets"
_CONTRACT = (400, 401, 403, 404, 413, 503)
_NAME = {"type": "string", "minLength": 1, "maxLength": contracts.LONGEST_NAME}
_KNOWLEDGE = "/v1/dazi/knowledge"
_DOCUMENT = f"{_KNOWLEDGE}/documents/{{document}}"

ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec(
        "POST", "/v1/chat/completions", chat, "对话 / chat", Completion, ChatRequest,
        _TURN, turns=True, streams=True, headers=_THREAD,
    ),
    RouteSpec(
        "POST", "/v1/embeddings", embeddings, "向量 / embeddings", Embeddings, EmbeddingRequest,
        _TURN, turns=True,
    ),
    RouteSpec("GET", "/v1/models", resources.models, "可用的模型 / models", resources.Models),
    RouteSpec(
        "GET", "/v1/models/{model:path}", resources.model, "一个模型 / one model",
        resources.Model, statuses=(401, 404),
    ),
    RouteSpec(
        "GET", "/v1/dazi/pool", pool.pool, "模型服务的状态 / how the model servers are",
        pool.PoolView, statuses=(401, 403),
    ),
    RouteSpec("GET", "/v1/dazi/me", resources.me, "当前用户 / the caller", resources.Me),
    RouteSpec(
        "GET", "/v1/dazi/threads", threads.threads, "自己的会话 / threads of one's own",
        threads.Threads, statuses=(400, 401, 404),
        query={
            "archived": {"type": "boolean", "description": "归档了的 / the archived ones"},
            "limit": {"type": "integer", "minimum": 1, "maximum": threads.MOST, "default": 50},
            "after": {"type": "string", "description": "上一页的 next / next of the page before"},
        },
    ),
    RouteSpec(
        "POST", "/v1/dazi/threads/search", threads.search_threads,
        "在自己的会话里找 / search threads of one's own", threads.FoundThreads,
        threads.ThreadQuery, (400, 401, 404, 413, 429, 503), turns=True,
    ),
    RouteSpec(
        "GET", "/v1/dazi/threads/{thread}", threads.thread, "一个会话的全部 / all of a thread",
        ExportedThread, statuses=(401, 404),
    ),
    RouteSpec(
        "PATCH", "/v1/dazi/threads/{thread}", threads.edit_thread,
        "改标题、归档、取消归档 / rename, archive, put back", threads.ThreadView,
        threads.ThreadEdit, (400, 401, 404, 413, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/threads/{thread}/export", threads.export_thread,
        "存成文件 / a thread as a file", statuses=(400, 401, 404), files=("text/markdown", JSON),
        query={
            "format": {"type": "string", "enum": ["markdown", "json"], "default": "markdown"},
        },
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/threads/{thread}", threads.delete_thread,
        "删除自己的会话 / delete a thread of one's own", bodies.Done, statuses=(401, 404, 409, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/me/export", threads.export_all,
        "自己的全部会话和记住的事,每行一个 JSON / all of one's own threads and facts, a JSON line each",
        statuses=(401, 429, 503), turns=True, files=("application/x-ndjson",),
    ),
    RouteSpec(
        "GET", "/v1/dazi/memory/facts", facts.facts, "记住的事 / what is remembered", facts.Facts,
        statuses=(401, 503),
    ),
    RouteSpec(
        "POST", "/v1/dazi/memory/facts", facts.keep_fact, "记住一条 / remember something",
        facts.FactView, facts.NewFact, _FACT,
    ),
    RouteSpec(
        "PATCH", "/v1/dazi/memory/facts/{fact}", facts.edit_fact,
        "修改、确认一条 / other words, or a yes to a proposal", facts.FactView, facts.FactEdit,
        _FACT,
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/memory/facts/{fact}", facts.forget_fact, "忘掉一条 / forget one",
        bodies.Done, statuses=(401, 404, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/risk/queue", risk.risk_queue,
        "等人看的交易 / transactions that wait for a person", risk.WaitingList, statuses=_RISK,
        query={
            "limit": {"type": "integer", "minimum": 1, "maximum": risk.MOST, "default": 100},
            "day": {"type": "string", "description": "只要这一天的 / of that day only"},
        },
    ),
    RouteSpec(
        "GET", "/v1/dazi/risk/transactions/{transaction}", risk.risk_case,
        "一笔交易的评分、原因和账户的过去 / a transaction's score, reasons and past",
        risk.CaseView, statuses=_RISK,
        query={"past": {"type": "integer", "minimum": 0, "maximum": 200, "default": 20}},
    ),
    RouteSpec(
        "POST", "/v1/dazi/risk/transactions/{transaction}/decision", risk.risk_decide,
        "记下人的结论 / what a person has found", risk.DecisionView, risk.RiskDecision,
        (*_RISK, 413),
    ),
    RouteSpec(
        "GET", "/v1/dazi/risk/model", risk.risk_model, "在用的模型 / the model in use",
        risk.ModelView, statuses=_RISK,
    ),
    RouteSpec(
        "GET", "/v1/dazi/risk/reports/{paper}", risk.risk_report,
        "模型卡、阈值报告、漂移报告 / card, threshold and drift report", statuses=_RISK,
        files=("text/markdown", "text/html", "application/pdf"),
        query={
            "format": {"type": "string", "enum": ["markdown", "html", "pdf"],
                       "default": "markdown"},
        },
    ),
    RouteSpec(
        "GET", "/v1/dazi/jobs", jobs.jobs, "自己的任务 / jobs of one's own", jobs.Jobs,
        statuses=(400, 401, 404, 503),
        query={
            "state": {"type": "string", "enum": list(jobs.STATES)},
            "kind": {"type": "string", "description": "哪种任务 / of which kind"},
            "batch": {"type": "string", "description": "哪一批 / of which batch"},
            "limit": {"type": "integer", "minimum": 1, "maximum": jobs.MOST, "default": 50},
            "after": {"type": "string", "description": "上一页的 next / next of the page before"},
        },
    ),
    RouteSpec(
        "POST", "/v1/dazi/jobs", jobs.begin_job, "开始一个任务 / begin a job", jobs.JobView,
        jobs.JobRequest, (400, 401, 403, 404, 413, 503), success=202,
    ),
    RouteSpec(
        "GET", "/v1/dazi/jobs/{job}", jobs.job, "一个任务,带结果 / a job with its result",
        jobs.JobView, statuses=(401, 404, 503),
    ),
    RouteSpec(
        "POST", "/v1/dazi/jobs/{job}/cancel", jobs.cancel_job, "取消 / cancel", jobs.JobView,
        statuses=(400, 401, 404, 503),
    ),
    RouteSpec(
        "POST", "/v1/dazi/jobs/{job}/retry", jobs.retry_job,
        "从断开的地方再来 / again, from where it broke off", jobs.JobView,
        statuses=(400, 401, 404, 503),
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/jobs/{job}", jobs.delete_job,
        "删除结束了的任务和它的结果 / delete a job that is over, with its results", bodies.Done,
        statuses=(400, 401, 404, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/jobs/{job}/files/{name}", jobs.job_file, "任务的一个文件 / a file of a job",
        statuses=(401, 404, 503), files=("application/octet-stream",),
    ),
    RouteSpec(
        "GET", "/v1/dazi/batches/{batch}", jobs.batch,
        "一批任务各到哪一步 / how far a batch of jobs is", jobs.BatchView,
        statuses=(401, 404, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/job-kinds", jobs.job_kinds, "有哪些任务 / which kinds of jobs there are",
        jobs.JobKinds,
    ),
    RouteSpec(
        "GET", "/v1/dazi/schedules", jobs.schedules, "自己的定时任务 / schedules of one's own",
        jobs.Schedules, statuses=(401, 503),
    ),
    RouteSpec(
        "POST", "/v1/dazi/schedules", jobs.add_schedule, "定时做一件事 / do something again and again",
        jobs.ScheduleView, jobs.ScheduleRequest, (400, 401, 403, 404, 413, 503), success=201,
    ),
    RouteSpec(
        "PATCH", "/v1/dazi/schedules/{schedule}", jobs.edit_schedule,
        "改时间、停用、启用 / other hours, off, on", jobs.ScheduleView, jobs.ScheduleEdit,
        (400, 401, 404, 413, 503),
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/schedules/{schedule}", jobs.delete_schedule, "删除 / delete",
        bodies.Done, statuses=(401, 404, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/contracts", contracts.contracts, "审过的合同 / contracts reviewed",
        jobs.Jobs, statuses=(400, 401, 404, 503),
        query={
            "limit": {"type": "integer", "minimum": 1, "maximum": contracts.MOST, "default": 50},
            "after": {"type": "string", "description": "上一页的 next / next of the page before"},
        },
    ),
    RouteSpec(
        "POST", "/v1/dazi/contracts", contracts.review_contract,
        "审一份合同 / have a contract reviewed", jobs.JobView, None, _CONTRACT, takes_file=True,
        needs=("name",), success=202,
        query={
            "name": _NAME,
            "template": {
                "type": "string", "description": "范本的 id / a template's id, from contract-templates",
            },
        },
    ),
    RouteSpec(
        "GET", "/v1/dazi/contracts/{job}", contracts.contract,
        "一份审查,带表态 / a review with verdicts", contracts.ReviewView,
        statuses=(401, 404, 503),
    ),
    RouteSpec(
        "PUT", "/v1/dazi/contracts/{job}/verdicts/{item}", contracts.judge,
        "认可、不认可、改正 / accept, reject, correct", contracts.VerdictView,
        contracts.VerdictBody, (400, 401, 404, 413, 503),
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/contracts/{job}/verdicts/{item}", contracts.withdraw,
        "收回表态 / take a verdict back", bodies.Done, statuses=(400, 401, 404, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/contract-templates", contracts.contract_templates,
        "公司的和自己的范本 / templates, the company's and one's own", contracts.TemplateViews,
        statuses=(401, 404, 503),
    ),
    RouteSpec(
        "POST", "/v1/dazi/contract-templates", contracts.add_contract_template,
        "上传自己的范本 / upload a template", jobs.JobView, None, _CONTRACT, takes_file=True,
        needs=("name",), success=202, query={"name": _NAME},
    ),
    RouteSpec(
        "GET", "/v1/dazi/contract-statistics", contracts.contract_statistics,
        "每条规则准不准 / how well each rule does", contracts.Statistics,
        statuses=(401, 403, 404, 503),
    ),
    RouteSpec(
        "GET", "/v1/dazi/reports", reports.reports, "自己能出的报表 / reports that the caller may run",
        reports.Reports, statuses=(401, 404),
    ),
    RouteSpec(
        "POST", "/v1/dazi/reports/{report}", reports.run_report, "出一份报表 / run a report",
        body=reports.ReportRequest, statuses=(400, 401, 403, 404, 413, 429, 503), turns=True,
        files=reports.FILES,
    ),
    RouteSpec(
        "GET", "/v1/dazi/confirmations", resources.confirmations,
        "待确认的操作 / what waits for confirmation", resources.Confirmations,
    ),
    RouteSpec(
        "GET", "/v1/dazi/approvals", resources.approvals,
        "待自己审批的、别人提出的操作 / what others ask for and the caller may decide",
        resources.Confirmations,
    ),
    RouteSpec(
        "POST", "/v1/dazi/confirmations/{ticket}", resources.decide,
        "确认或取消 / confirm or reject", Completion, Decision, _TURN, turns=True,
    ),
    RouteSpec(
        "GET", "/scaling", scaling.scaling, "自动伸缩要的数 / what an autoscaler needs",
        scaling.ScalingView, None, (400, 401), entry="public",
        query={
            "replicas": {
                "type": "integer", "minimum": 1, "maximum": scaling.MOST_REPLICAS, "default": 1,
            },
        },
    ),
    RouteSpec(
        "GET", "/healthz", resources.healthz, "存活 / alive", resources.Health, statuses=(),
        entry="public",
    ),
    RouteSpec(
        "GET", "/readyz", resources.readyz, "就绪 / ready", resources.Readiness,
        statuses=(503,), entry="public",
    ),
    RouteSpec(
        "GET", f"{_KNOWLEDGE}/documents", reading.documents,
        "可以看的文档 / documents that the caller may read", knowledge.Documents, None, _ADMIN,
        query={"all": {"type": "boolean", "description": "管理者:全部 / for managers: all"}},
    ),
    RouteSpec(
        "GET", _DOCUMENT, reading.document, "一份文档的段落 / a document's passages",
        knowledge.OpenedDocument, None, _ADMIN,
        query={
            "first": {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0},
            "limit": {
                "type": "integer", "minimum": 1, "maximum": reading.MOST_PASSAGES, "default": 50,
            },
        },
    ),
    RouteSpec(
        "POST", f"{_KNOWLEDGE}/search", reading.search, "检索文档 / search the documents",
        knowledge.FoundPassages, knowledge.KnowledgeQuery, _SEARCH, turns=True,
    ),
    RouteSpec(
        "GET", f"{_KNOWLEDGE}/sources", managing.sources, "文档来源 / where documents come from",
        knowledge.Sources, None, _ADMIN,
    ),
    RouteSpec(
        "POST", f"{_KNOWLEDGE}/sources", managing.add_source, "添加网址 / add a URL",
        knowledge.SourceView, knowledge.NewSource, _ADMIN,
    ),
    RouteSpec(
        "DELETE", f"{_KNOWLEDGE}/sources/{{source}}", managing.remove_source,
        "移除来源和它的文档 / remove a source with its documents", knowledge.Removed, None, _ADMIN,
    ),
    RouteSpec(
        "POST", f"{_KNOWLEDGE}/documents", managing.upload, "上传文档 / upload a document",
        knowledge.DocumentView, None, _ADMIN, takes_file=True, needs=("name",),
        query={
            "name": {"type": "string", "minLength": 1, "maxLength": 200},
            "readers": {"type": "array", "items": {"type": "string"}, "maxItems": 200},
        },
    ),
    RouteSpec(
        "PUT", f"{_DOCUMENT}/readers", managing.set_readers, "改谁可以看 / who may read it",
        knowledge.ReadersView, knowledge.NewReaders, _ADMIN,
    ),
    RouteSpec(
        "DELETE", _DOCUMENT, managing.remove_document, "删除上传的文档 / delete an upload",
        knowledge.Removed, None, _ADMIN,
    ),
    RouteSpec(
        "POST", f"{_DOCUMENT}/reindex", managing.read_again, "重新读 / read it again",
        knowledge.DocumentView, None, _ADMIN,
    ),
    RouteSpec(
        "GET", _TICKETS, desk.tickets, "工单,先到期的在前 / tickets, what is due first comes first",
        desk.Tickets, None, _DESK,
        query={
            "state": {"type": "string", "enum": ["alive", "all", *desk.STATES], "default": "alive"},
            "mine": {"type": "boolean", "description": "分给自己的 / given to the caller"},
            "unassigned": {"type": "boolean", "description": "没人接的 / that nobody has"},
            "category": {"type": "string", "enum": [*desk.INTENTS]},
            "thread": {"type": "string", "maxLength": 64},
            "limit": {"type": "integer", "minimum": 1, "maximum": desk.MOST, "default": 50},
        },
    ),
    RouteSpec(
        "POST", _TICKETS, desk.open_ticket, "新建工单 / open a ticket", desk.TicketView,
        desk.NewTicketBody, _SEARCH, turns=True,
    ),
    RouteSpec(
        "GET", f"{_TICKETS}/{{number}}", desk.ticket, "一张工单 / a ticket", desk.TicketView, None,
        _DESK,
    ),
    RouteSpec(
        "POST", f"{_TICKETS}/{{number}}", desk.act,
        "接单、回复、等待、解决、评价…… / take, reply, wait, resolve, rate, ...", desk.TicketView,
        desk.ActBody, _SEARCH, turns=True,
    ),
    RouteSpec(
        "GET", f"{_TICKETS}/{{number}}/suggestion", desk.suggestion,
        "建议的回复,每句有出处;不会自动发出 / a suggested reply, each sentence with its source; not sent",
        desk.SuggestionView, None, (*_DESK, 429), turns=True,
    ),
    RouteSpec(
        "GET", "/v1/dazi/desk/statistics", desk.statistics, "服务台统计(主管) / figures, for supervisors",
        desk.StatisticsView, None, _DESK,
        query={"days": {"type": "integer", "minimum": 1, "maximum": 3660, "default": 28}},
    ),
    RouteSpec(
        "POST", "/v1/dazi/desk/intent", desk.intent, "一句话要什么 / what a message wants",
        desk.IntentView, desk.IntentBody, _DESK_BODY,
    ),
    *ACCOUNTS,
    *metrics.ROUTES,
    *PROMPTS,
    *EXPERIMENTS,
    *WIDGET,
    *alerts.ROUTES,
    *CHANNELS,
    *FEEDBACK,
)  # fmt: skip
