"""The .tflite schema as data: which table has which fields, in slot order.

From the schema of LiteRT 2.3 (schema version 3); a test holds every row against the accessors that
LiteRT installs. A row reads `Table: field type = default, …`; `_` is a slot that was given up.
`[x]` is a vector; `table` is a table that is checked to be there and not read further; a type
that LiteRT has as an enumeration is read as the name of its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

CORE = """
Model: version u32, operator_codes [OperatorCode], subgraphs [SubGraph], description string,
    buffers [Buffer], metadata_buffer [i32], metadata [Metadata], signature_defs [SignatureDef],
    external_buffer_groups [table], external_buffers [table]
OperatorCode: deprecated_builtin_code i8, custom_code string, version i32 = 1, builtin_code i32
SubGraph: tensors [Tensor], inputs [i32], outputs [i32], operators [Operator], name string,
    debug_metadata_index i32 = -1
Tensor: shape [i32], type TensorType, buffer u32, name string, quantization QuantizationParameters,
    is_variable bool, sparsity table, shape_signature [i32], has_rank bool,
    variant_tensors [table], external_buffer u32
QuantizationParameters: min [f32], max [f32], scale [f32], zero_point [i64], details_type u8,
    details union, quantized_dimension i32
Operator: opcode_index u32, inputs [i32], outputs [i32], builtin_options_type u8,
    builtin_options union, custom_options [u8], custom_options_format CustomOptionsFormat,
    mutating_variable_inputs [bool], intermediates [i32], large_custom_options_offset u64,
    large_custom_options_size u64, builtin_options2_type u8, builtin_options2 union,
    debug_metadata_index i32 = -1
Buffer: data [u8], offset u64, size u64
Metadata: name string, buffer u32
SignatureDef: inputs [TensorMap], outputs [TensorMap], signature_key string, _, subgraph_index u32
TensorMap: name string, tensor_index u32
"""

# Options of operators; a table that is not listed has no fields.
OPTIONS = """
AddOptions: fused_activation_function ActivationFunctionType, pot_scale_int16 bool = 1
ArgMaxOptions: output_type TensorType
ArgMinOptions: output_type TensorType
BatchMatMulOptions: adj_x bool, adj_y bool, asymmetric_quantize_inputs bool
BidirectionalSequenceLSTMOptions: fused_activation_function ActivationFunctionType, cell_clip f32,
    proj_clip f32, merge_outputs bool, time_major bool = 1, asymmetric_quantize_inputs bool
BidirectionalSequenceRNNOptions: time_major bool, fused_activation_function ActivationFunctionType,
    merge_outputs bool, asymmetric_quantize_inputs bool
BucketizeOptions: boundaries [f32]
CallOnceOptions: init_subgraph_index i32
CallOptions: subgraph u32
CastOptions: in_data_type TensorType, out_data_type TensorType
ConcatEmbeddingsOptions: num_channels i32, num_columns_per_channel [i32],
    embedding_dim_per_channel [i32]
ConcatenationOptions: axis i32, fused_activation_function ActivationFunctionType
Conv2DOptions: padding Padding, stride_w i32, stride_h i32,
    fused_activation_function ActivationFunctionType, dilation_w_factor i32 = 1,
    dilation_h_factor i32 = 1, quantized_bias_type TensorType
Conv3DOptions: padding Padding, stride_d i32, stride_w i32, stride_h i32,
    fused_activation_function ActivationFunctionType, dilation_d_factor i32 = 1,
    dilation_w_factor i32 = 1, dilation_h_factor i32 = 1
CumsumOptions: exclusive bool, reverse bool
DepthToSpaceOptions: block_size i32
DepthwiseConv2DOptions: padding Padding, stride_w i32, stride_h i32, depth_multiplier i32,
    fused_activation_function ActivationFunctionType, dilation_w_factor i32 = 1,
    dilation_h_factor i32 = 1
DivOptions: fused_activation_function ActivationFunctionType
EmbeddingLookupSparseOptions: combiner CombinerType
FakeQuantOptions: min f32, max f32, num_bits i32, narrow_range bool
FullyConnectedOptions: fused_activation_function ActivationFunctionType,
    weights_format FullyConnectedOptionsWeightsFormat, keep_num_dims bool,
    asymmetric_quantize_inputs bool, quantized_bias_type TensorType, quant_spec [u8]
GatherOptions: axis i32, batch_dims i32
GeluOptions: approximate bool
HashtableOptions: table_id i32, key_dtype TensorType, value_dtype TensorType
IfOptions: then_subgraph_index i32, else_subgraph_index i32
L2NormOptions: fused_activation_function ActivationFunctionType
LSHProjectionOptions: type LSHProjectionType
LSTMOptions: fused_activation_function ActivationFunctionType, cell_clip f32, proj_clip f32,
    kernel_type LSTMKernelType, asymmetric_quantize_inputs bool
LeakyReluOptions: alpha f32
LocalResponseNormalizationOptions: radius i32, bias f32, alpha f32, beta f32
MirrorPadOptions: mode MirrorPadMode
MulOptions: fused_activation_function ActivationFunctionType
OneHotOptions: axis i32
PackOptions: values_count i32, axis i32
Pool2DOptions: padding Padding, stride_w i32, stride_h i32, filter_width i32, filter_height i32,
    fused_activation_function ActivationFunctionType
RNNOptions: fused_activation_function ActivationFunctionType, asymmetric_quantize_inputs bool
RandomOptions: seed i64, seed2 i64
ReduceWindowOptions: reduce_function i32
ReducerOptions: keep_dims bool
ReshapeOptions: new_shape [i32]
ResizeBilinearOptions: _, _, align_corners bool, half_pixel_centers bool
ResizeNearestNeighborOptions: align_corners bool, half_pixel_centers bool
ReverseSequenceOptions: seq_dim i32, batch_dim i32
SVDFOptions: rank i32, fused_activation_function ActivationFunctionType,
    asymmetric_quantize_inputs bool
SequenceRNNOptions: time_major bool, fused_activation_function ActivationFunctionType,
    asymmetric_quantize_inputs bool
ShapeOptions: out_type TensorType
SkipGramOptions: ngram_size i32, max_skip_size i32, include_all_ngrams bool
SoftmaxOptions: beta f32
SpaceToDepthOptions: block_size i32
SparseToDenseOptions: validate_indices bool
SplitOptions: num_splits i32
SplitVOptions: num_splits i32
SqueezeOptions: squeeze_dims [i32]
StableHLOCompositeOptions: name string, decomposition_subgraph_index i32, composite_attributes [u8],
    composite_attributes_format CustomOptionsFormat, version i32
StablehloBroadcastInDimOptions: broadcast_dimensions [i64]
StablehloCaseOptions: branch_subgraph_indices [i32]
StablehloCompareOptions: comparison_direction u32, compare_type u32
StablehloConcatenateOptions: dimension i64
StablehloConvolutionOptions: window_strides [i64], padding [i64], lhs_dilation [i64],
    rhs_dilation [i64], window_reversal [bool], input_batch_dimension i64,
    input_feature_dimension i64, input_spatial_dimensions [i64], kernel_input_feature_dimension i64,
    kernel_output_feature_dimension i64, kernel_spatial_dimensions [i64],
    output_batch_dimension i64, output_feature_dimension i64, output_spatial_dimensions [i64],
    feature_group_count i64, batch_group_count i64, precision_config [u32]
StablehloCustomCallOptions: call_target_name string, has_side_effect bool, backend_config string,
    api_version i32, called_computations [i32], custom_attributes [u8]
StablehloDotGeneralOptions: lhs_batching_dimensions [i64], rhs_batching_dimensions [i64],
    lhs_contracting_dimensions [i64], rhs_contracting_dimensions [i64], precision_config [u32]
StablehloDynamicSliceOptions: slice_sizes [i64]
StablehloGatherOptions: offset_dims [i64], collapsed_slice_dims [i64], start_index_map [i64],
    index_vector_dim i64, slice_sizes [i64], indices_are_sorted bool
StablehloIotaOptions: iota_dimension i64
StablehloPadOptions: edge_padding_low [i64], edge_padding_high [i64], interior_padding [i64]
StablehloReduceOptions: dimensions [i64], body_subgraph_index i32
StablehloReduceWindowOptions: window_dimensions [i64], window_strides [i64], base_dilations [i64],
    window_dilations [i64], padding [i64], body_subgraph_index i32
StablehloRngBitGeneratorOptions: algorithm RngAlgorithm
StablehloScatterOptions: indices_are_sorted bool, update_window_dims [i64],
    inserted_window_dims [i64], scatter_dims_to_operand_dims [i64], index_vector_dim i64,
    unique_indices bool, update_computation_subgraph_index i32
StablehloSliceOptions: start_indices [i64], limit_indices [i64], strides [i64]
StablehloSortOptions: dimension i64, is_stable bool, comparator_subgraph_index i32
StablehloTransposeOptions: permutation [i64]
StablehloWhileOptions: cond_subgraph_index i32, body_subgraph_index i32
StridedSliceOptions: begin_mask i32, end_mask i32, ellipsis_mask i32, new_axis_mask i32,
    shrink_axis_mask i32, offset bool
SubOptions: fused_activation_function ActivationFunctionType, pot_scale_int16 bool = 1
TransposeConvOptions: padding Padding, stride_w i32, stride_h i32,
    fused_activation_function ActivationFunctionType, quantized_bias_type TensorType
UnidirectionalSequenceLSTMOptions: fused_activation_function ActivationFunctionType, cell_clip f32,
    proj_clip f32, time_major bool, asymmetric_quantize_inputs bool,
    diagonal_recurrent_tensors bool
UniqueOptions: idx_out_type TensorType = 2
UnpackOptions: num i32, axis i32
VarHandleOptions: container string, shared_name string
WhileOptions: cond_subgraph_index i32, body_subgraph_index i32
"""

# struct format and bytes of each number.
NUMBERS = {
    "bool": ("<B", 1),
    "i8": ("<b", 1),
    "u8": ("<B", 1),
    "i32": ("<i", 4),
    "u32": ("<I", 4),
    "f32": ("<f", 4),
    "i64": ("<q", 8),
    "u64": ("<Q", 8),
}
# Enumerations, all of one byte.
ENUMERATIONS = (
    "ActivationFunctionType",
    "CombinerType",
    "CustomOptionsFormat",
    "FullyConnectedOptionsWeightsFormat",
    "LSHProjectionType",
    "LSTMKernelType",
    "MirrorPadMode",
    "Padding",
    "RngAlgorithm",
    "TensorType",
)


def names_of(enumeration: str) -> dict[int, str]:
    """The names of an enumeration's values, by value, e.g. `names_of("Padding")[0] == "SAME"`."""
    members = vars(getattr(schema, enumeration)).items()
    return {value: name for name, value in members if not name.startswith("_")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a table.

    Attributes:
        slot: Its place in the vtable, from 0.
        kind: A key of NUMBERS, "string", "union", "table" or the name of a table.
        vector: Whether it is a vector of those.
        default: The number where the file leaves it out; 0 for other kinds.
        names: Names of the values of an enumeration; None for other kinds.
    """

    slot: int
    kind: str
    vector: bool = False
    default: int = 0
    names: Mapping[int, str] | None = None

    @property
    def width(self) -> int:
        """Bytes inside the table, or of one element of a vector."""
        return NUMBERS[self.kind][1] if self.kind in NUMBERS else 4


def _parse(text: str) -> dict[str, dict[str, Field]]:
    tables: dict[str, dict[str, Field]] = {}
    for row in text.strip().replace("\n    ", " ").splitlines():
        table, _, rest = row.partition(": ")
        fields = {}
        for slot, item in enumerate(rest.split(", ")):
            declaration, _, default = item.partition(" = ")
            name, _, kind = declaration.partition(" ")
            if name != "_":
                fields[name] = _field(slot, kind, int(default or 0))
        tables[table] = fields
    return tables


def _field(slot: int, kind: str, default: int) -> Field:
    vector = kind.startswith("[")
    kind = kind.strip("[]")
    if kind in ENUMERATIONS:
        return Field(slot=slot, kind="i8", default=default, names=names_of(kind))
    return Field(slot=slot, kind=kind, vector=vector, default=default)


TABLES: Mapping[str, Mapping[str, Field]] = _parse(CORE) | _parse(OPTIONS)
