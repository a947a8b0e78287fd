"""A model of a real shape with random weights, made on the device: speed depends on the shape, not on what was
learnt. Products of random numbers are slower than those of zeros, so the weights are drawn as for training."""

from __future__ import annotations

from typing import Any

from dazi.ops.plan.models import SHAPES, Shape

REAL = SHAPES["Qwen/Qwen3-14B"]
TINY = Shape("tiny", 2, 64, 4, 2, 128, head_dim=16, vocabulary=512, context=2048)
"""Only to see that everything works."""
ATTENTION = "dazi_grouped"
SEED = 20_260


def build(shape: Shape, device: str) -> Any:
    """In bf16, and in 32 bits where there is no accelerator. Raises ``ValueError`` for a model that came out in
    another size than the planner counts."""
    import torch
    from transformers import AttentionInterface, Qwen3Config, Qwen3ForCausalLM

    AttentionInterface.register(ATTENTION, grouped_attention)
    config = Qwen3Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        tie_word_embeddings=shape.tied,
    )
    torch.manual_seed(SEED)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if device == "cpu" else torch.bfloat16)
    try:
        with torch.device(device):
            model = Qwen3ForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    matrices = sum(p.numel() for p in model.parameters() if p.dim() > 1)
    if matrices != shape.parameters:
        raise ValueError(f"{matrices:,} parameters, but the planner counts {shape.parameters:,}")
    model.set_attn_implementation(ATTENTION)
    return model.eval()


def grouped_attention(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any
) -> tuple[Any, None]:
    """Query heads that share a key head are taken as so many queries of it, so that one step's cache is read once
    and never copied. Without a mask it is causal over a prompt read at once. Shapes: batch, heads, tokens, width."""
    from torch.nn.functional import scaled_dot_product_attention as attend

    batch, heads, tokens, width = query.shape
    scale = more.get("scaling")
    if tokens == 1:
        folded = query.reshape(batch, key.shape[1], heads // key.shape[1], width)
        out = attend(folded, key, value, attn_mask=attention_mask, scale=scale)
        return out.reshape(batch, 1, heads, width), None
    causal = attention_mask is None
    out = attend(
        query, key, value, attn_mask=attention_mask, is_causal=causal, scale=scale, enable_gqa=True
    )
    return out.transpose(1, 2).contiguous(), None


def prompts(shape: Shape, count: int, tokens: int) -> list[list[int]]:
    """Random ids, the same ones each time; those of a smaller ``count`` are the first of a larger."""
    import random

    made = []
    for n in range(count):
        draw = random.Random(SEED + n)
        made.append([draw.randrange(shape.vocabulary) for _ in range(tokens)])
    return made
