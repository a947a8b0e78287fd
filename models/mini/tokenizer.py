"""Train the bundled model's tokenizer: a byte-level BPE that never breaks a common hanzi.

Digits and CJK characters stand alone, words carry at most a leading space, and every hanzi of GB2312 level 1,
of common names and of the written data is one token: its three UTF-8 bytes are joined by two merges put before the learnt
ones. The fixed text of the chat template becomes single added tokens. The same ``tokenizer.json`` serves
transformers, vLLM and openvino_tokenizers; the regex uses only what Oniguruma and PCRE2 understand alike.

Run: ``python models/mini/tokenizer.py --to DIR``. With ``--extend FOLDER`` nothing is trained: the tokenizer of that
folder gets the characters that it still breaks, and every id that it had stays what it was.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VISIBLE = [
    "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
    "<think>", "</think>", "<tools>", "</tools>",
]  # fmt: skip
CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
PATTERN = (
    rf"[{CJK}]|(?i:'s|'t|'re|'ve|'m|'ll|'d)| ?(?:(?![{CJK}])[\p{{L}}\p{{M}}])+"
    r"|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
MARKS = "，。？！：；、“”‘’（）《》「」『』【】…—～·￥％°€"

CHAT_TEMPLATE = """\
{%- set ns = namespace(result_open=false) -%}
{%- if tools -%}
{{- '<|im_start|>system\\n' -}}
{%- if messages and messages[0].role == 'system' -%}{{- messages[0].content + '\\n\\n' -}}{%- endif -%}
{{- '# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n\
You are provided with function signatures within <tools></tools> XML tags:\\n<tools>' -}}
{%- for tool in tools -%}{{- '\\n' -}}{{- tool | tojson -}}{%- endfor -%}
{{- '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within \
<tool_call></tool_call> XML tags:\\n<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n\
</tool_call><|im_end|>\\n' -}}
{%- elif messages and messages[0].role == 'system' -%}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- set text = message.content if message.content is string else '' -%}
{%- if message.role == 'tool' -%}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}
{{- '\\n<tool_response>\\n' + text + '\\n</tool_response>' -}}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}{{- '<|im_end|>\\n' -}}{%- endif -%}
{%- elif message.role == 'assistant' -%}
{%- if '</think>' in text -%}{%- set text = text.split('</think>')[-1].lstrip('\\n') -%}{%- endif -%}
{{- '<|im_start|>assistant\\n' + text -}}
{%- for item in message.tool_calls or [] -%}
{%- set call = item.function if item.function else item -%}
{%- if text or not loop.first -%}{{- '\\n' -}}{%- endif -%}
{{- '<tool_call>\\n{"name": "' + call.name + '", "arguments": ' -}}
{{- call.arguments if call.arguments is string else call.arguments | tojson -}}
{{- '}\\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- elif not (message.role == 'system' and loop.first) -%}
{{- '<|im_start|>' + message.role + '\\n' + text + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if enable_thinking is defined and enable_thinking is false -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}
{%- endif -%}
"""


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each of the 256 bytes, by byte value."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = itertools.count(256)
    return [chr(b) if b in printable else chr(next(spare)) for b in range(256)]


def level_one_hanzi() -> set[str]:
    """The 3,755 most common simplified characters: GB2312 rows 16 to 55."""
    cells = bytes(b for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF) for b in (row, cell))
    return {c for c in cells.decode("gb2312", "ignore") if "\u4e00" <= c <= "\u9fff"}


NAMES = (
    "丕乂亓仝伊伶佟佩侃俞倩偲僖冉凇凌刘劭勖匡卉卞卿厉厍叶吕呈吴咏哲喆喻嘉圳坤垚堃塬夏奕妍妤妮姗姚姜姝姣娅娇娜娟婉婕婧婳婷"
    "媛嫄嫒嫣宓宣宥宸容寇尉尹岐岑岚岱峥峻崔崴嵇嵩嵘巩帅庞庾廉廖弈弘彤彦彬彭彰徐怡恬悦惠愉慕慧懿戈戚戴扈抒敏敬斌斐旎旭旸昀昂"
    "昊昕昱晁晋晏晔晖晗晟晨晰晴暄暨曜曦曼朔朗朱李杉杏杜杨杭杰柏柯柳栋栩桂桐梁梅梓梦梵棠森楠楚榆榕樊樱歆毅毛毓汐汝汤汪沁沂沅沈"
    "沐沛沪泉泓泽洁洋洛洲浚浩涂涛涵淇淑淳淼清渊渝温湘源溪滕滢漪潇潘潞澄澈澜瀚灏炎炜炫烁烨焓焕焘焦焱煊煜煦熙燊燕爽牟狄玄玉王玖"
    "玟玥玮玲珂珈珊珏珑珞珠珩珮珺琅琛琦琨琪琬琰琳琴琼瑄瑕瑛瑜瑞瑶瑾璃璇璐璟璨璿甄甘甜申畅皓盈盛睿瞿石砚硕祁祎祖祝祯祺禄禹禾秀"
    "秋秦程稔穆窈窦童竺笑筠筱管箐简粟纪纬纯练绮绯缇缪罗翀翁翊翎翔翟翰耀耿聂聪肃肖胤胥胡臻舒舜良艳艺芃芊芝芦芬芮芯芳芷苏苑苒"
    "苓苗若英茂范茉茗茜茵茹荀荃荔荞荣荷莉莎莓莘莫莹莺莽菁菀菡菲萌萍萧萱葛董葳蒋蒙蒲蓁蓉蓓蓝蔓蔚蔡蔺蕊蕙蕴蕾薇薛薪藜虞蝶裘裴褚"
    "覃解言詹许诗诸诺谈谢谭豪贝费贺贾赖赟赵路轩辛辰边迎连迪逸道遥邓邢邬邱邵邹郁郑郝郦郭鄂鄢鄭采里金鑫钊钟钦钧钰铃铄铎铖铭铮银锋"
    "锐锦键镕长闫闻闵阎阮陆陈陶陵隋隽雅雨雪雯霁霄霆霍霏霖霜霞露青靖静韦韩音韵韶项顾颖颜飒飞馨馥驰骁骆骏高魏鲁鲍鸣鸿鹃鹏鹤麒麓"
    "麟麦黄黎黛齐龄龙龚"
)
"""Hanzi of names that people have; many lie outside GB2312 level 1."""


def written_characters() -> set[str]:
    """Every hanzi of the data's files, names included, however rarely a conversation holds it."""
    here = Path(__file__).parent
    folders = (here / "phrasings", here / "others", here.parents[1] / "examples" / "yunshan")
    files = (
        p for f in folders for p in f.rglob("*") if p.suffix in (".txt", ".yaml", ".md", ".csv")
    )
    text = NAMES + "".join(p.read_text(encoding="utf-8") for p in files)
    return {c for c in text if "\u3400" <= c <= "\u9fff"}


def whole_characters(texts: Iterable[str]) -> tuple[list[str], Counter[str]]:
    """Characters that must stay whole, and how often each character of ``texts`` occurs."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(text)
    other = {
        c for c, n in seen.items() if ord(c) > 0x2E7F and (n >= 3 or "\u4e00" <= c <= "\u9fff")
    }
    return sorted(level_one_hanzi() | written_characters() | set(MARKS) | other), seen


def character_merges(characters: list[str]) -> list[tuple[str, str]]:
    """Merges that build each character from its UTF-8 bytes, left to right, without repeats."""
    alphabet = byte_alphabet()
    merges: dict[tuple[str, str], None] = {}
    for character in characters:
        parts = [alphabet[b] for b in character.encode()]
        for i in range(1, len(parts)):
            merges["".join(parts[:i]), parts[i]] = None
    return list(merges)


def pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def learnt_merges(texts: list[str], added: list[str], count: int) -> list[tuple[str, str]]:
    """About ``count`` BPE merges over what is left of ``texts`` once added tokens and CJK are cut out."""
    cutter = Tokenizer(models.BPE())
    cutter.add_tokens([AddedToken(t, normalized=False) for t in added])
    cutter.pre_tokenizer = pre_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + count,
        initial_alphabet=byte_alphabet(),
        special_tokens=[],
        show_progress=False,
    )
    wide = str.maketrans({c: "\n" for t in texts for c in set(t) if ord(c) > 0x2E7F})
    pieces = (piece for t in texts for piece in cut(t, added))
    cutter.train_from_iterator((p.translate(wide) for p in pieces), trainer)
    return [tuple(m) for m in json.loads(cutter.to_str())["model"]["merges"]]


def cut(text: str, added: list[str]) -> Iterator[str]:
    """``text`` without its added tokens, in pieces."""
    pieces = [text]
    for token in sorted(added, key=len, reverse=True):
        pieces = [part for piece in pieces for part in piece.split(token)]
    return (p for p in pieces if p)


def train(texts: list[str], boilerplate: list[str], vocab: int) -> Tokenizer:
    """A tokenizer of exactly ``vocab`` entries, or fewer if ``texts`` hold too few different words."""
    added = list(dict.fromkeys([*VISIBLE, *boilerplate]))
    characters, _ = whole_characters(texts)
    merges = character_merges(characters)
    room = vocab - 256 - len(merges) - len(CONTROL) - len(added)
    if room < 256:
        raise SystemExit(
            f"--vocab {vocab} leaves {room} places for words; {len(characters)} whole characters: raise it"
        )
    known = set(merges)
    merges += [m for m in learnt_merges(texts, [*CONTROL, *added], room) if m not in known]
    tokens = dict.fromkeys([*byte_alphabet(), *(a + b for a, b in merges)])
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges, fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in CONTROL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in added])
    return tokenizer


def extended(source: Path) -> Tokenizer:
    """The tokenizer of ``source`` with the characters that it breaks added behind all that it has."""
    data = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    wanted = sorted(level_one_hanzi() | written_characters())
    broken = [c for c in wanted if len(tokenizer.encode(c, add_special_tokens=False).ids) > 1]
    vocab, merges = data["model"]["vocab"], data["model"]["merges"]
    known, free = {tuple(m) for m in merges}, tokenizer.get_vocab_size()
    # Added tokens keep their ids only where the vocabulary names them.
    vocab |= {t["content"]: t["id"] for t in data["added_tokens"]}
    for a, b in character_merges(broken):
        if (a, b) not in known:
            merges.append([a, b])
        if a + b not in vocab:
            vocab[a + b] = free
            free += 1
    return Tokenizer.from_str(json.dumps(data, ensure_ascii=False))


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that transformers, vLLM, SGLang and OpenVINO read."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "bos_token": None,
        "add_bos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 4096,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config, ensure_ascii=False, indent=1) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--to", type=Path, required=True, help="folder for tokenizer.json and tokenizer_config.json"
    )
    parser.add_argument(
        "--generator", default="generate", help="module with BOILERPLATE and conversations()"
    )
    parser.add_argument("--extend", type=Path, help="folder of a tokenizer to add characters to")
    parser.add_argument("--documents", type=int, default=30000)
    parser.add_argument("--vocab", type=int, default=8640)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    if args.extend:
        tokenizer = extended(args.extend)
        save(tokenizer, args.to)
        print(f"{tokenizer.get_vocab_size()} tokens; saved in {args.to}")
        return
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    data = importlib.import_module(args.generator)
    texts = list(itertools.islice(data.conversations(args.seed), args.documents))
    tokenizer = train(texts, list(data.BOILERPLATE), args.vocab)
    save(tokenizer, args.to)
    sample = texts[:1000]
    count = sum(len(e.ids) for e in tokenizer.encode_batch(sample))
    print(
        f"{tokenizer.get_vocab_size()} tokens; {count / len(sample):.0f} tokens a document; saved in {args.to}"
    )


if __name__ == "__main__":
    main()
