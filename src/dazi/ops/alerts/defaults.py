"""The rules that are there unless a company changes or switches them off, by name.

The numbers are where to begin: each may be changed in ``alerts.yaml``.
"""

from __future__ import annotations

from dazi.core.language import Text
from dazi.ops.alerts.rules import (
    DAY_S,
    SLOW,
    Absence,
    Burn,
    Rule,
    Selection,
    Severity,
    Test,
    Threshold,
    Unit,
)

_REQUESTS = Selection("dazi_requests")
_FAILED = Selection("dazi_requests", {"status": "5.."})
_FIRST = Selection("dazi_turn_first_text_seconds")


def _part_down(part: str) -> Threshold:
    return Threshold(Selection("dazi_ready", {"part": part}), "latest", "below", 0.5)


def _rule(
    name: str,
    severity: Severity,
    text: tuple[str, str],
    does: tuple[str, str],
    test: Test,
    *,
    for_s: float = 0.0,
    clear_for_s: float = 60.0,
    unit: Unit = "",
) -> Rule:
    return Rule(name, severity, Text(*text), Text(*does), test, for_s, clear_for_s, unit)


DEFAULTS: tuple[Rule, ...] = (
    _rule(
        "turns-slow", "warning",
        ("回答太慢(p99)", "turns are slow (p99)"),
        ("看 /alerts 旁的用量和模型服务的排队;慢在模型就加机器或换小一点的模型,慢在工具就查那个系统。",
         "Look at the load and the servers' queues; if it is the model, add servers or take a smaller "
         "one; if it is a tool, look into its system."),
        Threshold(Selection("dazi_turn_seconds"), "quantile", "above", 60.0, 45.0, 600.0,
                  at_least=20),
        for_s=60.0, clear_for_s=300.0, unit="s",
    ),
    _rule(
        "first-text-slow", "warning",
        ("首字太慢(p99)", "the first text comes late (p99)"),
        ("多半是排队或提示词太长:看 dazi_turns_waiting、dazi_pool_waiting 和模型服务的缓存占用。",
         "Mostly a queue or long prompts: look at dazi_turns_waiting, dazi_pool_waiting and the servers' "
         "caches."),
        Threshold(_FIRST, "quantile", "above", 20.0, 15.0, 600.0, at_least=20),
        for_s=60.0, clear_for_s=300.0, unit="s",
    ),
    _rule(
        "requests-failing", "critical",
        ("请求失败太多(5xx)", "many requests fail (5xx)"),
        ("看日志里的错误,再看 /readyz 哪一部分是 false;503 多半是模型或数据库连不上,或排队满了。",
         "Look at the errors in the log and at which part is false in /readyz; 503 mostly is the model or "
         "the database out of reach, or a full queue."),
        Threshold(_FAILED, "ratio", "above", 0.05, 0.02, 300.0, per=_REQUESTS, at_least=20),
        for_s=30.0, unit="share",
    ),
    _rule(
        "turns-failing", "warning",
        ("回答中断太多", "many turns break off"),
        ("看 dazi_errors 是哪种错误。提问的人自己走了或按了停止(cancelled)不算。",
         "See in dazi_errors which error it is. Those that a person left or stopped (cancelled) do not "
         "count."),
        Threshold(Selection("dazi_turns", {"reason": "error"}), "ratio", "above",
                  0.2, 0.1, 600.0, per=Selection("dazi_turns"), at_least=10),
        for_s=60.0, clear_for_s=300.0, unit="share",
    ),
    _rule(
        "tool-failing", "warning",
        ("工具调用失败太多", "many calls of a tool fail"),
        ("那个工具背后的系统连不上、太慢或报错:用 dazi tool 试一次,再找那个系统的管理员。",
         "The system behind that tool is out of reach, slow or wrong: try it with dazi tool, then tell "
         "whoever runs that system."),
        Threshold(Selection("dazi_tool_calls", {"outcome": "timeout|unavailable|failed|unknown"}),
                  "ratio", "above", 0.2, 0.1, 300.0, per=Selection("dazi_tool_calls"),
                  at_least=5, each=("tool",)),
        for_s=30.0, clear_for_s=120.0, unit="share",
    ),
    _rule(
        "model-down", "critical",
        ("没有可用的模型", "no model can be used"),
        ("看模型服务的进程和日志,`dazi model pool` 说每一台为什么不能用;只有内置模型时看内存。",
         "Look at the model servers' processes and logs; `dazi model pool` tells why each cannot be used; "
         "with the model in process, look at the memory."),
        _part_down("model"), for_s=15.0, clear_for_s=30.0,
    ),
    _rule(
        "server-down", "warning",
        ("一台模型服务不能用", "a model server cannot be used"),
        ("`dazi model pool` 说为什么;请求已经转到别的服务,但余量少了。",
         "`dazi model pool` tells why; requests go to the other servers, with less room to spare."),
        Threshold(Selection("dazi_pool_up"), "latest", "below", 0.5, each=("backend",)),
        for_s=60.0,
    ),
    _rule(
        "database-down", "critical",
        ("数据库连不上", "the database is out of reach"),
        ("看数据库进程、网络和磁盘;回来之前回答不了问题,也不执行敏感操作。告警状态暂时只在内存里。",
         "Look at the database's process, the network and the disk; until it is back nothing is answered "
         "and nothing sensitive is done. The state of alerts is in memory meanwhile."),
        _part_down("database"), for_s=15.0, clear_for_s=30.0,
    ),
    _rule(
        "ledger-unwritable", "critical",
        ("审计账本写不进去", "the audit ledger cannot be written"),
        ("多半是磁盘满、数据库只读或密钥文件读不了;写得进去之前敏感操作会被拒绝。",
         "Mostly a full disk, a database that is read-only or keys that cannot be read; sensitive calls "
         "refuse until it can be written."),
        _part_down("audit"), for_s=0.0, clear_for_s=30.0,
    ),
    _rule(
        "queue-growing", "warning",
        ("排队的请求太多", "many turns wait for a place"),
        ("来得比答得快:加模型服务,或调高 DAZI_MAX_CONCURRENT(机器还有余力时);看是不是某个密钥在猛发。",
         "More comes than is answered: add model servers, or raise DAZI_MAX_CONCURRENT where the machine "
         "has room; see whether one key sends it all."),
        Threshold(Selection("dazi_turns_waiting"), "latest", "above", 0.5, 0.1,
                  per=Selection("dazi_places")),
        for_s=60.0, unit="share",
    ),
    _rule(
        "refusing", "warning",
        ("有请求因为忙被拒绝", "requests are refused for being too many"),
        ("排队已经满了或等得太久:同 queue-growing。",
         "The queue is full or too slow: as for queue-growing."),
        Threshold(Selection("dazi_errors", {"code": "busy|model_busy"}), "count", "above",
                  10.0, 0.0, 300.0),
        clear_for_s=120.0,
    ),
    _rule(
        "channel-waiting", "warning",
        ("渠道里有消息很久没答完", "a message of a channel has waited for long"),
        ("看日志里 dazi.channels 的错误:模型忙、厂商限速或连不上厂商都会这样;恢复后会接着答。",
         "Look at the errors of dazi.channels in the log: a busy model, the vendor's limits or a vendor that "
         "is out of reach; what waits is answered once that has passed."),
        Threshold(Selection("dazi_channel_oldest_seconds"), "latest", "above", 300.0, 60.0,
                  each=("channel",)),
        for_s=60.0, unit="s",
    ),
    _rule(
        "budget-nearly-spent", "warning",
        ("本月预算快用完了", "the month's budget is nearly spent"),
        ("用完以后这些人的请求会被拒绝,到下个月为止:调高 [[limits]] 的 yuan_per_month,或查是谁用的。",
         "Once it is spent their requests are refused until next month: raise yuan_per_month in "
         "[[limits]], or find out who spends it."),
        Threshold(Selection("dazi_budget_spent_share"), "latest", "above", 0.9, 0.85,
                  each=("scope",)),
        unit="share",
    ),
    _rule(
        "cloud-money-nearly-spent", "warning",
        ("今天的云端费用快用完了", "today's money for clouds is nearly spent"),
        ("用完以后只剩自己的模型:调高 models.yaml 的 cloud_yuan_per_day,或看为什么去了云端(审计 route)。",
         "Once it is spent only own models are left: raise cloud_yuan_per_day in models.yaml, or see in "
         "the ledger (route) why it goes to a cloud."),
        Threshold(Selection("dazi_cloud_spent_share"), "latest", "above", 0.8, 0.75),
        unit="share",
    ),
    _rule(
        "audit-broken", "critical",
        ("审计账本被改过", "the audit ledger was changed"),
        ("不要重启或清理任何东西;先备份现场,运行 dazi audit verify 看是哪一条,再按应急预案处理。",
         "Restart and clean up nothing; keep a copy of everything, run dazi audit verify to see which "
         "record it is, and follow the plan for incidents."),
        Threshold(Selection("dazi_audit_chain_broken"), "latest", "above", 0.5),
    ),
    _rule(
        "audit-unverified", "warning",
        ("审计账本很久没有核对过", "the audit ledger has not been verified for long"),
        ("核对在后台每 DAZI_AUDIT_VERIFY_SECONDS 秒做一次;看日志里为什么没做完。",
         "It is verified in the background every DAZI_AUDIT_VERIFY_SECONDS seconds; the log says why it "
         "was not."),
        Threshold(Selection("dazi_audit_verified_seconds"), "age", "above", 3 * DAY_S),
        unit="days",
    ),
    _rule(
        "certificate-expiring", "warning",
        ("证书 21 天内到期", "the certificate ends within 21 days"),
        ("换上新证书(DAZI_TLS_CERT、DAZI_TLS_KEY)并重启。",
         "Put a new one in place (DAZI_TLS_CERT, DAZI_TLS_KEY) and restart."),
        Threshold(Selection("dazi_certificate_expires_seconds"), "until", "below", 21 * DAY_S),
        unit="days",
    ),
    _rule(
        "certificate-ending", "critical",
        ("证书 7 天内到期", "the certificate ends within 7 days"),
        ("同 certificate-expiring,马上做:到期后谁也连不上。",
         "As for certificate-expiring, and now: nobody can connect once it has ended."),
        Threshold(Selection("dazi_certificate_expires_seconds"), "until", "below", 7 * DAY_S),
        unit="days",
    ),
    _rule(
        "disk-low", "warning",
        ("数据盘剩余不到一成", "less than a tenth of the data disk is free"),
        ("清理旧备份和日志,或换大盘;看 dazi.sqlite 和 knowledge 谁在长。",
         "Remove old backups and logs or take a larger disk; see which of dazi.sqlite and knowledge grows."),
        Threshold(Selection("dazi_disk_free_bytes"), "latest", "below", 0.10, 0.12,
                  per=Selection("dazi_disk_bytes"), each=("place",)),
        for_s=60.0, unit="share",
    ),
    _rule(
        "disk-full", "critical",
        ("数据盘快满了", "the data disk is nearly full"),
        ("马上腾地方:满了以后审计写不进去,敏感操作全部停用。",
         "Make room now: once it is full the ledger cannot be written and sensitive calls refuse."),
        Threshold(Selection("dazi_disk_free_bytes"), "latest", "below", 0.02, 0.03,
                  per=Selection("dazi_disk_bytes"), each=("place",)),
        unit="share",
    ),
    _rule(
        "gpu-hot", "warning",
        ("GPU 太热", "a GPU is hot"),
        ("看风扇、机房温度和功率上限;再热会降频,回答变慢。",
         "Look at the fans, the room and the power limit; hotter, it slows down."),
        Threshold(Selection("dazi_gpu_celsius"), "latest", "above", 85.0, 80.0, each=("gpu",)),
        for_s=120.0, unit="celsius",
    ),
    _rule(
        "gpu-memory", "warning",
        ("GPU 显存快满了", "a GPU's memory is nearly full"),
        ("模型服务按比例占显存是正常的;超过 98 % 说明还有别的进程,或缓存比例设得太高。",
         "A model server takes its share; above 98 % something else is there, or the share is too high."),
        Threshold(Selection("dazi_gpu_memory_used_bytes"), "latest", "above", 0.98, 0.96,
                  per=Selection("dazi_gpu_memory_bytes"), each=("gpu",)),
        for_s=300.0, unit="share",
    ),
    _rule(
        "gpu-missing", "critical",
        ("GPU 不见了", "a GPU is missing"),
        ("运行 nvidia-smi,看内核日志里的 Xid;多半要重启机器。",
         "Run nvidia-smi and look for Xid in the kernel's log; mostly the machine must be restarted."),
        Absence(Selection("dazi_gpu_celsius"), each=("gpu",)),
        unit="s",
    ),
    _rule(
        "loop-late", "warning",
        ("服务进程卡顿", "the process is held up"),
        ("机器太忙,或有什么占住了事件循环:看处理器和内存,再看同一时间的日志。",
         "The machine is too busy, or something holds the event loop: look at processor and memory, and at "
         "the log of that time."),
        Threshold(Selection("dazi_loop_late_seconds"), "latest", "above", 1.0, 0.3),
        for_s=30.0, unit="s",
    ),
    _rule(
        "log-errors", "warning",
        ("日志里错误太多", "many errors in the log"),
        ("看日志里重复的是哪一条。", "See which line repeats in the log."),
        Threshold(Selection("dazi_log_lines", {"level": "error|critical"}), "count",
                  "above", 10.0, 2.0, 300.0),
        clear_for_s=300.0,
    ),
    _rule(
        "history-left-out", "info",
        ("指标太多,有些没有存历史", "some series have no history"),
        ("多半是工具、模型或租户很多;要长期历史请用 Prometheus。",
         "Mostly many tools, models or tenants; take Prometheus for a long history."),
        Threshold(Selection("dazi_history_left_out"), "latest", "above", 0.0),
    ),
    _rule(
        "backup-old", "warning",
        ("两天没有备份", "no backup for two days"),
        ("看定时的 dazi backup 为什么没跑(cron 的邮件、磁盘),补做一次。从没备份过的不报。",
         "See why the scheduled dazi backup did not run, and make one. Where none was ever made, this says "
         "nothing."),
        Threshold(Selection("dazi_backup_seconds"), "age", "above", 2 * DAY_S),
        unit="days",
    ),
    _rule(
        "route-failing", "warning",
        ("一条告警路线送不出去", "a route of alerts does not get through"),
        ("看 /alerts 里这条路线的错误,改好后点“测试”;这期间的告警走了 instead 写的路线。",
         "See its error on /alerts, mend it and press Test; meanwhile alerts go where instead says."),
        Threshold(Selection("dazi_alerts_route_failing"), "latest", "above", 0.5, each=("route",)),
    ),
    _rule(
        "alerts-late", "critical",
        ("告警判断停了", "alerts are no longer evaluated"),
        ("进程卡住或没有起来;它自己发不出这一条,所以要外面的 Prometheus 或心跳来发现。",
         "The process hangs or is not up; it cannot tell this itself, so an outside Prometheus or the "
         "heartbeat's watcher has to."),
        Threshold(Selection("dazi_alerts_evaluated_seconds"), "latest", "above", 120.0),
        unit="s",
    ),
    _rule(
        "slo-requests", "critical",
        ("请求成功率的预算烧得太快", "the budget of failed requests burns fast"),
        ("同 requests-failing。照这个速度,一个月的预算几天就用完。",
         "As for requests-failing. At this pace a month's budget is gone in days."),
        Burn(_REQUESTS, 0.995, bad=_FAILED), unit="burn",
    ),
    _rule(
        "slo-requests-slow", "warning",
        ("请求成功率的预算在慢慢用完", "the budget of failed requests is being used up"),
        ("三天来失败的比例一直高于目标:找出常见的错误,安排修。",
         "For three days more failed than the objective allows: find the common error and plan its mending."),
        Burn(_REQUESTS, 0.995, bad=_FAILED, windows=SLOW), unit="burn",
    ),
    _rule(
        "slo-first-text", "critical",
        ("首字时间的预算烧得太快", "the budget of late first texts burns fast"),
        ("同 first-text-slow。", "As for first-text-slow."),
        Burn(_FIRST, 0.95, within=10.0), unit="burn",
    ),
    _rule(
        "slo-first-text-slow", "warning",
        ("首字时间的预算在慢慢用完", "the budget of late first texts is being used up"),
        ("三天来一直比目标慢:看负载的走势,规划机器(dazi plan)。",
         "For three days slower than the objective: look at the load's course and plan machines "
         "(dazi plan)."),
        Burn(_FIRST, 0.95, within=10.0, windows=SLOW), unit="burn",
    ),
)  # fmt: skip
