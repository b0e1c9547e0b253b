"""Cases of the ONNX standard that the lowering does not pass, and why; see test_backend.py."""

# Number of cases, pattern in "case: what happened", reason.
EXPECTED: list[tuple[int, str, str]] = [
    (
        166,
        r"elements are of ONNX's type|is (float[48]e|u?int[24] )|'x' is text",
        "types of less than whole bytes, of 8-bit floats and of text; the graph's reader names them",
    ),
    (
        93,
        r"attention.*expanded: .*depends on data",
        "shapes that the reader's constant folder does not follow through the expansion",
    ),
    (2, r"range_(b?float16).*depends on data", "the constant folder counts in no 16-bit floats"),
    (44, r"for 'UInt(16|32|64)'", "PyTorch has no such kernel for these types"),
    (
        25,
        r"Attention .*query, key and value of shape",
        "packed heads are no form of scaled_dot_product_attention",
    ),
    (
        37,
        r"Attention .*past keys, lengths, windows and softcap",
        "nor are key/value caches, windows and softcap",
    ),
    (6, r"Attention .*'qk_matmul_output' has no counterpart", "nor does it give its scores"),
    (4, r"Attention .*a mask or a causal one", "nor does it combine these masks"),
    (
        3,
        r"attention_4d_(causal_)?b?fp?16: .*Not equal to tolerance",
        "half precision, rounded at other places",
    ),
    (16, r"Arg(Max|Min) .*the first of equal", "select_last_index"),
    (6, r"AveragePool .*no dilated", "PyTorch has none"),
    (3, r"AveragePool .*padding that differs", "PyTorch pads both ends alike"),
    (1, r"LpPool .*without dilation", "PyTorch has none with dilation"),
    (2, r"MaxPool .*the indices", "PyTorch's indices count within a plane"),
    (2, r"BatchNormalization .*training mode", "made for inference"),
    (6, r"Dropout .*training mode", "made for inference"),
    (2, r"Dropout .*'z' has no counterpart", "the mask of a dropout that does nothing"),
    (1, r"Col2Im .*only constant planes", "PyTorch has planes only"),
    (3, r"(Dequantize|Quantize)Linear .*blocks", "scales for blocks of elements"),
    (
        3,
        r"negative_indices: (Runtime|Index)Error",
        "PyTorch counts from the front; only constants are counted anew",
    ),
    (
        11,
        r"(GRU|LSTM|RNN) .*only forward or both ways",
        "backwards only, batch first, peepholes, lengths, or GRU's reset before the product",
    ),
    (2, r"Pow .*fractions", "PyTorch gives fractions, ONNX integers"),
    (3, r"Reduce(Max|Min) .*no elements", "PyTorch refuses them"),
    (
        6,
        r"Resize .*other coefficients",
        "PyTorch has -0.75, and where it smooths -0.5 over what lies inside",
    ),
    (4, r"Resize .*interpolate at coordinates", "PyTorch has half_pixel and align_corners"),
    (4, r"Resize .*a region of interest", "PyTorch has none"),
    (4, r"Resize .*keep the aspect ratio", "a scale of its own for both dimensions"),
    (
        2,
        r"resize_downsample_scales_(linear|cubic)_align_corners: .*Not equal",
        "the standard divides by a fractional size here, PyTorch by the whole one",
    ),
    (5, r"ScatterND .*replaces or adds", "index_put does no more"),
    (3, r"top_k_same_values\w*: .*Not equal", "PyTorch's topk takes equal elements in any order"),
]

# Operators without a case of the standard that passes, and where they are tested.
OTHER_TESTS: dict[str, str] = {
    "GRU": "test_random.py",
    "GlobalLpPool": "test_random.py",
    "Linear": "test_export.py",
    "Silu": "test_onnx_files.py",
}
