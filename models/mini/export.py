"""Turn a training checkpoint into what servers and the embedded engine load. Needs no torch.

``DIR/hf`` gets bf16 safetensors for transformers, vLLM, SGLang and tuning; ``DIR`` itself gets the int8 OpenVINO IR
with its tokenizer. The graph comes from OpenVINO's GGUF reader; the tokenizer does not, because that reader ignores
added tokens: it is converted from the Hugging Face one and both are compared on mixed text afterwards.

Run: ``python models/mini/export.py --checkpoint RUN_OR_CHECKPOINT --to DIR``.
"""

# ruff: noqa: E402 (telemetry is switched off before anything that brings it is imported)
from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

# OpenVINO then takes its own stub: the real one dials out on import and has no other switch.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gguf
import nncf
import numpy as np
import openvino as ov
import openvino_genai
from numpy.typing import NDArray
from openvino_tokenizers import convert_tokenizer
from safetensors import TensorSpec, serialize_file
from safetensors.numpy import load_file
from transformers import PreTrainedTokenizerFast

Weights = dict[str, NDArray[Any]]

GGUF_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def newest_checkpoint(path: Path) -> Path:
    """``path`` itself if it is a checkpoint, else the last one of the run in it."""
    if (path / "weights.safetensors").exists():
        return path
    found = sorted(p for p in path.glob("step-*") if (p / "weights.safetensors").exists())
    if not found:
        raise SystemExit(f"{path} holds no checkpoint (a folder with weights.safetensors)")
    return found[-1]


def write_hf(weights: Weights, config: dict[str, Any], source: Path, folder: Path) -> None:
    """config.json, bf16 model.safetensors, tokenizer files and generation_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rounded = {name: to_bfloat16(a) for name, a in weights.items()}
    tensors = {
        name: TensorSpec(dtype="bfloat16", shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes)
        for name, a in rounded.items()
    }
    serialize_file(tensors, str(folder / "model.safetensors"), {"format": "pt"})
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    ids = {t["content"]: t["id"] for t in tokenizer["added_tokens"]}
    end, pad = ids["<|im_end|>"], ids["<|endoftext|>"]
    config = {**config, "eos_token_id": end, "pad_token_id": pad, "bos_token_id": None}
    generation = {
        "eos_token_id": [end, pad],
        "pad_token_id": pad,
        "do_sample": False,
        "max_new_tokens": 512,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=1) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, folder / name)


def to_bfloat16(a: NDArray[Any]) -> NDArray[np.uint16]:
    """``a`` rounded to the nearest bfloat16, ties to even, as raw 16-bit words."""
    bits = np.ascontiguousarray(a, dtype=np.float32).view(np.uint32)
    rounded: NDArray[Any] = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype(np.uint16)


def write_gguf(weights: Weights, config: dict[str, Any], hf: Path, path: Path) -> None:
    """An F16 GGUF of the model. Its tokenizer is only what OpenVINO's reader insists on."""
    tokenizer = json.loads((hf / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = [f"[unused{i}]" for i in range(config["vocab_size"])]
    types = [gguf.TokenType.NORMAL] * len(tokens)
    for token, i in tokenizer["model"]["vocab"].items():
        tokens[i] = token
    for added in tokenizer["added_tokens"]:
        tokens[added["id"]] = added["content"]
        types[added["id"]] = (
            gguf.TokenType.CONTROL
        )  # without any, OpenVINO cannot compile its tokenizer
    w = gguf.GGUFWriter(str(path), "qwen3")
    w.add_context_length(config["max_position_embeddings"])
    w.add_embedding_length(config["hidden_size"])
    w.add_block_count(config["num_hidden_layers"])
    w.add_feed_forward_length(config["intermediate_size"])
    w.add_head_count(config["num_attention_heads"])
    w.add_head_count_kv(config["num_key_value_heads"])
    w.add_key_length(config["head_dim"])
    w.add_value_length(config["head_dim"])
    w.add_rope_freq_base(config["rope_theta"])
    w.add_layer_norm_rms_eps(config["rms_norm_eps"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    w.add_vocab_size(config["vocab_size"])
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges([" ".join(m) for m in tokenizer["model"]["merges"]])
    generation = json.loads((hf / "generation_config.json").read_text())
    w.add_eos_token_id(generation["eos_token_id"][0])
    w.add_pad_token_id(generation["pad_token_id"])
    for name, a in weights.items():
        w.add_tensor(gguf_name(name), a.astype(np.float16) if a.ndim == 2 else a.astype(np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def gguf_name(name: str) -> str:
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{GGUF_NAMES[rest.removesuffix('.weight')]}.weight"


def write_ir(hf: Path, gguf_path: Path, to: Path, precision: str) -> None:
    """openvino_model.xml/.bin, tokenizer and detokenizer, and the JSON files beside them."""
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = 1
    openvino_genai.ContinuousBatchingPipeline(
        str(gguf_path), scheduler, "CPU", {"enable_save_ov_model": True}
    )
    model = ov.Core().read_model(gguf_path.with_name("openvino_model.xml"))
    if precision == "int8":
        model = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    ov.save_model(model, to / "openvino_model.xml")
    tokenizer, detokenizer = convert_tokenizer(
        PreTrainedTokenizerFast.from_pretrained(hf), with_detokenizer=True, add_special_tokens=False
    )
    ov.save_model(tokenizer, to / "openvino_tokenizer.xml")
    ov.save_model(detokenizer, to / "openvino_detokenizer.xml")
    for name in (
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ):
        shutil.copyfile(hf / name, to / name)


def mixed_texts(tokenizer: PreTrainedTokenizerFast, count: int, seed: int = 1) -> list[str]:
    """Random strings of words, hanzi, digits, punctuation, white space, emoji and added tokens."""
    r = random.Random(seed)
    vocab = [
        t for t in tokenizer.batch_decode([[i] for i in range(len(tokenizer))]) if "\ufffd" not in t
    ]
    added = list(tokenizer.get_added_vocab())
    other = [
        *" \n\t  \"'{}[]:,._-/!?@#$%&*()",
        "0123456789",
        "龘𠮷㐀",
        "é",
        "ß",
        "😀👍🏽",
        "  ",
        "\n\n",
        "ー",
        "２",
        "Ⅷ",
        "½",
        "\u3000",
    ]
    sources = (vocab, vocab, other, added)
    return [
        "".join(r.choice(r.choice(sources)) for _ in range(r.randint(1, 40))) for _ in range(count)
    ]


def verify(to: Path, hf: Path) -> None:
    """Stop unless OpenVINO's tokenizer and Hugging Face's give equal ids and equal decoded text."""
    theirs = PreTrainedTokenizerFast.from_pretrained(hf)
    ours = openvino_genai.Tokenizer(str(to))
    for text in mixed_texts(theirs, 400):
        expected = theirs.encode(text, add_special_tokens=False)
        got = ours.encode(text, add_special_tokens=False).input_ids.data.tolist()[0]
        if got != expected:
            raise SystemExit(f"token ids differ for {text!r}:\n{expected}\n{got}")
        if ours.decode(expected) != theirs.decode(expected, skip_special_tokens=True):
            raise SystemExit(f"decoded text differs for {text!r}: {ours.decode(expected)!r}")
    if "<tool_call>" not in ours.decode(theirs.encode("<tool_call>\n{", add_special_tokens=False)):
        raise SystemExit("<tool_call> is lost in decoding")


def smoke(to: Path) -> str:
    """Sixteen greedy tokens through the exported folder, to see that it loads."""
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = 1
    pipeline = openvino_genai.ContinuousBatchingPipeline(str(to), scheduler, "CPU", {})
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens = 16
    config.apply_chat_template = False
    prompt = "<|im_start|>user\n你好<|im_end|>\n<|im_start|>assistant\n"
    return str(pipeline.generate([prompt], [config])[0].m_generation_ids[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="a run folder or one checkpoint in it"
    )
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--precision", choices=["int8", "f16"], default="int8")
    args = parser.parse_args()
    checkpoint = newest_checkpoint(args.checkpoint)
    config = json.loads((checkpoint / "config.json").read_text())
    weights = load_file(checkpoint / "weights.safetensors")
    hf = args.to / "hf"
    write_hf(weights, config, checkpoint, hf)
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "mini.gguf"
        write_gguf(weights, config, hf, path)
        write_ir(hf, path, args.to, args.precision)
    verify(args.to, hf)
    size = sum(p.stat().st_size for p in args.to.iterdir() if p.is_file())
    print(
        f"{checkpoint.name} -> {args.to}: IR and tokenizer {size / 1e6:.1f} MB; says {smoke(args.to)!r}"
    )


if __name__ == "__main__":
    main()
