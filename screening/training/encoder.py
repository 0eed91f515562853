"""Builds the encoder as one ONNX graph straight from its tensors, without torch.

Activations are quantised with fixed scales, measured once on sample texts. Scales taken from each
batch as it comes would let a text's score depend on its neighbours in the batch, and the same text
must always get the same answer. Nothing here knows labels; heads arrive finished from `heads`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from screening.tokens import Tokens
from screening.training.e5 import BLOCK, Published, Words

Array = NDArray[np.float32]
DIMENSIONS = 384
OPSET = 21
CONTRIB = "com.microsoft"
SMOOTHING = 0.8
"""Share of the activations' outliers moved into the weights (SmoothQuant, Xiao et al. 2023, alpha)."""

SMALLEST = 1e-6
"""Probabilities are kept this far from 0 and 1, which bounds log-odds at about 14."""

WORD_ZERO = 8
"""The level of the word table that means zero."""

MASKED = 1e4
"""What is taken from the score of attention to padding."""

GELU_MINIMUM = 0.17
"""The deepest value of GELU: what follows it needs almost no room below zero."""

WEIGHT_LEVELS = 63
"""Seven-bit weights: on processors without VNNI, eight-bit products overflow their 16-bit sums."""


@dataclass(frozen=True)
class Ranges:
    """What the input of one matrix product was seen to span: the largest |x| of each channel."""

    peak: Array


@dataclass(frozen=True)
class Head:
    """A linear read-out of the pooled features: `features @ weight + bias`, weight F x K."""

    weight: Array
    bias: Array


@dataclass
class _Graph:
    """Nodes and constants in the making, for an encoder of so many layers and attention heads."""

    depth: int
    heads: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, op: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [output], domain=domain, **attributes))
        return output

    @property
    def layers(self) -> list[str]:
        """The values that hold the states between layers, the embeddings first."""
        return ["embedded", *(f"{number}.out" for number in range(self.depth))]

    def split(self, value: str, outputs: Sequence[str], axis: int) -> None:
        self.nodes.append(helper.make_node("Split", [value], list(outputs), axis=axis, num_outputs=len(outputs)))


def measure_ranges(weights: Published, tokens: Tokens, texts: Iterable[str]) -> dict[str, Ranges]:
    """Run the exact encoder over sample texts and keep the largest |activation| of each channel."""
    model = build(weights, None, probes=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs() if output.name.endswith(".peak")]
    peaks: dict[str, Array] = {}
    for text in texts:
        for window in tokens.windows(text):
            ids = np.array([window], dtype=np.int64)
            seen = session.run(names, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            for name, value in zip(names, seen, strict=True):
                peaks[name] = np.maximum(peaks[name], value) if name in peaks else value
    return {name.removesuffix(".peak"): Ranges(peak) for name, peak in peaks.items()}


def build(
    weights: Published,
    ranges: dict[str, Ranges] | None,
    classes: Head | None = None,
    severities: Head | None = None,
    memory: Head | None = None,
    *,
    probes: bool = False,
) -> onnx.ModelProto:
    """Assemble the model; exact float32 where `ranges` is None, else int8 products.

    Inputs `input_ids`, `attention_mask`: N x S int64. Outputs: `vector` N x 384 of unit length, the last
    layer's mean after the linear map `memory`, if one is given;
    `policies` N x 9 and `violation` N x 1, log-odds read off a softmax over the nine policies and clean
    (clean last); `shares` N x S x 10, what each token adds to the softmax's logits, which are sums over
    tokens; `severity` N x 4, logits from low to critical. Without heads the output is `features`,
    N x 384 (layers + 1), for fitting them.
    """
    tensors = weights.tensors
    graph = _Graph(weights.layers, weights.heads)
    outputs = {"vector": DIMENSIONS}
    tokens: dict[str, int] = {}
    hidden = _embed(graph, weights)
    _mask(graph)
    for layer in range(weights.layers):
        hidden = _layer(graph, tensors, ranges, layer, hidden)
    _pool(graph, hidden, memory)
    if classes is None or severities is None:
        outputs["features"] = DIMENSIONS * (weights.layers + 1)
    else:
        _read_out(graph, classes, severities)
        _share_out(graph, classes)
        tokens["shares"] = classes.weight.shape[1]
        outputs |= {"policies": classes.weight.shape[1] - 1, "violation": 1, "severity": severities.weight.shape[1]}
    if probes:
        axes = graph.constant("probe.axes", np.array([0, 1], np.int64))
        for number, given in enumerate(graph.layers[:-1]):
            for name, source in [(f"{number}.in", given), *((n, n) for n in _probed(number))]:
                graph.node("Abs", [source], f"{name}.abs")
                outputs[graph.node("ReduceMax", [f"{name}.abs", axes], f"{name}.peak", keepdims=0)] = 0
    made = helper.make_graph(
        graph.nodes,
        "screening",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["N", "S"]) for n in ("input_ids", "attention_mask")],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width] if width else None)
            for name, width in outputs.items()
        ]
        + [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "S", width]) for name, width in tokens.items()],
        list(graph.constants.values()),
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=10, producer_name="cupidsshield")


def _probed(layer: int) -> list[str]:
    return [f"{layer}.{part}" for part in ("mixed", "middle", "wide")]


def _embed(graph: _Graph, weights: Published) -> str:
    tensors, words = weights.tensors, weights.words
    looked_up = _looked_up(graph, words)
    places = tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    zero = graph.constant("zero", np.array([0], np.int64))
    place = graph.node("Slice", [graph.constant("places", places), zero, length, zero], "place")
    total = graph.node("Add", [looked_up, place], "total")
    norm = [graph.constant(f"embed.{p}", tensors[f"embeddings.LayerNorm.{p}"]) for p in ("weight", "bias")]
    return graph.node("LayerNormalization", [total, *norm], "embedded", axis=-1, epsilon=1e-12)


def _looked_up(graph: _Graph, words: Words) -> str:
    """The words' rows, N x S x 384: four-bit levels, two a byte, times the scale of their block.

    Written out, since the one operator for it takes longer.
    """
    blocks = (words.levels + WORD_ZERO).astype(np.uint8).reshape(len(words.levels), -1, BLOCK)
    packed = blocks[..., : BLOCK // 2] | blocks[..., BLOCK // 2 :] << 4
    pairs = graph.node("Gather", [graph.constant("words", packed), "input_ids"], "words.pairs")
    four = graph.constant("four", np.array(4, np.uint8))
    low = graph.node("BitwiseAnd", [pairs, graph.constant("fifteen", np.array(15, np.uint8))], "words.low")
    high = graph.node("BitShift", [pairs, four], "words.high", direction="RIGHT")
    levels = graph.node("Concat", [low, high], "words.levels", axis=-1)
    zero = graph.constant("words.zero", np.array(WORD_ZERO, np.uint8))
    signed = graph.node(
        "DequantizeLinear", [levels, graph.constant("words.one", np.array(1, np.float32)), zero], "words.signed"
    )
    table = graph.constant("words.scale", words.scales[..., None])
    scaled = graph.node("Mul", [signed, graph.node("Gather", [table, "input_ids"], "words.scales")], "words.scaled")
    together = graph.constant("width", np.array([0, 0, DIMENSIONS], np.int64))
    return graph.node("Reshape", [scaled, together], "looked_up")


def _mask(graph: _Graph) -> None:
    """`hidden`: what is added to scores of attention to padding; `mean`: what makes a mean over the other tokens."""
    one = graph.constant("one", np.array(1, np.float32))
    real = graph.node("Cast", ["attention_mask"], "real", to=TensorProto.FLOAT)
    padding = graph.node("Sub", [real, one], "padding")
    masked = graph.node("Mul", [padding, graph.constant("masked", np.array(MASKED, np.float32))], "masked.flat")
    graph.node("Unsqueeze", [masked, graph.constant("axes.heads", np.array([1, 2], np.int64))], "hidden")
    count = graph.node("ReduceSum", [real, graph.constant("axis.1", np.array([1], np.int64))], "count", keepdims=1)
    graph.node("Div", [real, count], "mean")


def _layer(graph: _Graph, tensors: dict[str, Array], ranges: dict[str, Ranges] | None, layer: int, hidden: str) -> str:
    prefix, n = f"encoder.layer.{layer}.", f"{layer}"

    def get(name: str) -> Array:
        return tensors[prefix + name]

    parts = [f"attention.self.{p}" for p in ("query", "key", "value")]
    qkv = np.concatenate([get(f"{p}.weight") for p in parts])
    qkv_bias = np.concatenate([get(f"{p}.bias") for p in parts])
    out = get("attention.output.dense.weight")
    if ranges is not None:
        # Attention mixes values linearly, so this smoothing can be folded into the value projection for free.
        smooth = _smoothing(ranges[f"{n}.mixed"].peak, out)
        qkv[2 * DIMENSIONS :] /= smooth[:, None]
        qkv_bias[2 * DIMENSIONS :] /= smooth
        out = out * smooth
        ranges = ranges | {f"{n}.mixed": Ranges(ranges[f"{n}.mixed"].peak / smooth)}
    qkv[:DIMENSIONS] /= np.sqrt(DIMENSIONS // graph.heads)
    qkv_bias[:DIMENSIONS] /= np.sqrt(DIMENSIONS // graph.heads)
    _attention(graph, _product(graph, hidden, qkv, f"{n}.in", ranges, qkv_bias), n)
    out_bias, narrow_bias = get("attention.output.dense.bias"), get("output.dense.bias")
    attended = _product(graph, f"{n}.mixed", out, f"{n}.mixed", ranges, out_bias, smooth=False)
    middle = _normalised_sum(graph, get, "attention.output", attended, hidden, f"{n}.middle")
    wide_weight, wide_bias = get("intermediate.dense.weight"), get("intermediate.dense.bias")
    widened = _product(graph, middle, wide_weight, f"{n}.middle", ranges, wide_bias)
    wide = graph.node("Gelu", [widened], f"{n}.wide", CONTRIB)
    narrowed = _product(graph, wide, get("output.dense.weight"), f"{n}.wide", ranges, narrow_bias)
    return _normalised_sum(graph, get, "output", narrowed, middle, f"{n}.out")


def _attention(graph: _Graph, projected: str, n: str) -> str:
    """Scaled dot-product attention over queries, keys and values side by side, N x S x 3 * 384; queries come scaled.

    Written out, since the one operator for it takes longer.
    """
    apart = graph.constant("heads.apart", np.array([0, 0, 3, graph.heads, -1], np.int64))
    by_head = graph.node("Reshape", [projected, apart], f"{n}.apart")
    turned = graph.node("Transpose", [by_head], f"{n}.turned", perm=[2, 0, 3, 1, 4])
    graph.split(turned, [f"{n}.query", f"{n}.key", f"{n}.value"], axis=0)
    scores = graph.node("FusedMatMul", [f"{n}.query", f"{n}.key"], f"{n}.scores", CONTRIB, transB=1)
    seen = graph.node("Add", [scores, "hidden"], f"{n}.seen")
    shares = graph.node("Softmax", [seen], f"{n}.attention", axis=-1)
    mixed = graph.node("MatMul", [shares, f"{n}.value"], f"{n}.heads")
    back = graph.node("Transpose", [mixed], f"{n}.back", perm=[1, 3, 0, 2, 4])
    together = graph.constant("width", np.array([0, 0, DIMENSIONS], np.int64))
    return graph.node("Reshape", [back, together], f"{n}.mixed")


def _smoothing(peak: Array, weight: Array) -> Array:
    """Per input channel, what to divide activations by and multiply weights by; geometric mean 1."""
    heaviest = np.maximum(np.abs(weight).max(0), 1e-5)
    scale = np.maximum(peak, 1e-5) ** SMOOTHING / heaviest ** (1 - SMOOTHING)
    return np.asarray(scale / np.exp(np.log(scale).mean()), dtype=np.float32)


def _product(
    graph: _Graph,
    value: str,
    weight: Array,
    name: str,
    ranges: dict[str, Ranges] | None,
    bias: Array,
    *,
    smooth: bool = True,
) -> str:
    """`value @ weight.T + bias`, in float32 or with u8 activations and per-column s8 weights (weight is out x in)."""
    label = f"{name}.{weight.shape[0]}"
    added = graph.constant(f"{label}.bias", bias)
    if ranges is None:
        product = graph.node("MatMul", [value, graph.constant(f"{label}.weight", weight.T)], f"{label}.unbiased")
        return graph.node("Add", [product, added], f"{label}.product")
    peak = ranges[name].peak
    if smooth:
        divide = _smoothing(peak, weight)
        value = graph.node("Mul", [value, graph.constant(f"{label}.smooth", 1 / divide)], f"{label}.smoothed")
        weight, peak = weight * divide, peak / divide
    lowest = GELU_MINIMUM / divide.min() if name.endswith("wide") else peak.max()
    step = np.float32((lowest + peak.max()) / 255)
    zero = np.uint8(np.rint(lowest / step))
    column = np.maximum(np.abs(weight).max(1), 1e-8).astype(np.float32) / WEIGHT_LEVELS
    table = np.rint(weight / column[:, None]).astype(np.int8).T
    scale = graph.constant(f"{label}.step", np.array(step))
    offset = graph.constant(f"{label}.zero", np.array(zero))
    levels = graph.node("QuantizeLinear", [value, scale, offset], f"{label}.levels")
    stored = [
        graph.constant(f"{label}.weight", table),
        scale,
        graph.constant(f"{label}.column", column),
        offset,
        graph.constant(f"{label}.weight_zero", np.zeros(len(column), np.int8)),
        added,
    ]
    return graph.node("MatMulIntegerToFloat", [levels, *stored], f"{label}.product", CONTRIB)


def _normalised_sum(
    graph: _Graph, get: Callable[[str], Array], part: str, value: str, residual: str, output: str
) -> str:
    """Written out, since the one operator for it takes longer."""
    norm = [graph.constant(f"{output}.{kind}", get(f"{part}.LayerNorm.{kind}")) for kind in ("weight", "bias")]
    total = graph.node("Add", [value, residual], f"{output}.total")
    return graph.node("LayerNormalization", [total, *norm], output, axis=-1, epsilon=1e-12)


def _pool(graph: _Graph, last: str, memory: Head | None) -> None:
    """`features`: mean of each layer over the tokens that are no padding; `vector`: the last, of unit length."""
    first = graph.constant("axis.1", np.array([1], np.int64))
    row = graph.node("Unsqueeze", ["mean", first], "mean.row")
    means = [graph.node("MatMul", [row, layer], f"{layer}.mean") for layer in graph.layers]
    graph.node("Squeeze", [graph.node("Concat", means, "means", axis=-1), first], "features")
    mean = graph.node("Squeeze", [f"{last}.mean", first], "last.mean")
    if memory is not None:
        turned = graph.node("MatMul", [mean, graph.constant("memory.weight", memory.weight)], "memory.product")
        mean = graph.node("Add", [turned, graph.constant("memory.bias", memory.bias)], "memory")
    graph.node("LpNormalization", [mean], "vector", axis=-1, p=2)


def _share_out(graph: _Graph, classes: Head) -> None:
    """What each token adds to each class's logit: the heads are linear and the features are means over tokens."""
    parts = []
    for number, layer in enumerate(graph.layers):
        rows = classes.weight[number * DIMENSIONS : (number + 1) * DIMENSIONS]
        weight = graph.constant(f"shares.{number}.weight", np.ascontiguousarray(rows))
        parts.append(graph.node("MatMul", [layer, weight], f"shares.{number}"))
    total = graph.node("Sum", parts, "shares.sum")
    third = graph.constant("axis.2", np.array([2], np.int64))
    graph.node("Mul", [total, graph.node("Unsqueeze", ["mean", third], "mean.column")], "shares")


def _read_out(graph: _Graph, classes: Head, severities: Head) -> None:
    """Log-odds of each class against all others, from one softmax; clean, the last class, turned round."""
    for name, head in (("classes", classes), ("severity", severities)):
        product = graph.node("MatMul", ["features", graph.constant(f"{name}.weight", head.weight)], f"{name}.product")
        graph.node("Add", [product, graph.constant(f"{name}.bias", head.bias)], name)
    smallest = graph.constant("smallest", np.array(SMALLEST, np.float32))
    share = graph.node("Softmax", ["classes"], "share", axis=-1)
    one = graph.constant("one", np.array(1, np.float32))
    rest = graph.node("Max", [graph.node("Sub", [one, share], "rest.raw"), smallest], "rest")
    kept = graph.node("Max", [share, smallest], "share.kept")
    odds = graph.node("Sub", [graph.node("Log", [kept], "log"), graph.node("Log", [rest], "log.rest")], "odds")
    policies = classes.weight.shape[1] - 1
    sizes = graph.constant("sizes", np.array([policies, 1], np.int64))
    graph.nodes.append(helper.make_node("Split", [odds, sizes], ["policies", "odds.clean"], axis=-1))
    graph.node("Neg", ["odds.clean"], "violation")
