#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>

#include "model/testing.h"
#include "tensor/safetensors.h"

namespace assay::model {
namespace {

using LoadTest = FolderTest;

/// Adds an initializer w of float[2,3] that points into `location`.
std::function<void(onnx::ModelProto&)> WithExternal(const std::string& location,
                                                    const std::string& offset,
                                                    const std::string& length) {
  return [=](onnx::ModelProto& proto) {
    onnx::TensorProto& w = *proto.mutable_graph()->add_initializer();
    w.set_name("w");
    w.set_data_type(onnx::TensorProto::FLOAT);
    w.add_dims(2);
    w.add_dims(3);
    w.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", location},
                                     {"offset", offset},
                                     {"length", length}}) {
      auto* entry = w.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
  };
}

constexpr char kAddsW[] = "agraph (float[2,3] x) => (float[2,3] y) { y = Add(x, w) }";

/// A safetensors file with one tensor "weight" of that type; its data starts at byte 128.
void WriteWeights(const std::filesystem::path& path, const tensor::Type& type) {
  const std::vector<tensor::Declared> declared = {{"weight", type}};
  const auto entry = tensor::LayOut(declared)[0];
  ASSERT_EQ(entry.offset, 128u);
  ASSERT_TRUE(tensor::WriteSafetensors(path, declared, [&](std::size_t, const auto& sink) {
                return sink(std::vector<std::byte>(entry.bytes));
              }).ok());
}

TEST_F(LoadTest, ResolvesNamesAndTypesOfASmallGraph) {
  const auto model = LoadText(
      "agraph (float[2,3] x) => (float[2,4] y) <float[3,4] w = {0,0,0,0,0,0,0,0,0,0,0,0}> "
      "{ h = Relu(x) y = MatMul(h, w) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Graph& graph = model->graph;
  EXPECT_EQ(graph.opset, 20);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[1].name, "MatMul_1");
  EXPECT_EQ(graph.nodes[1].inputs[0], graph.nodes[0].outputs[0]);
  EXPECT_EQ(graph.outputs, graph.nodes[1].outputs);
  const Value& y = ValueOf(graph, "y");
  EXPECT_EQ(y.type, (tensor::Type{tensor::DType::kFloat32, {2, 4}}));
  EXPECT_EQ(y.producer, 1);
  EXPECT_TRUE(ValueOf(graph, "w").weight.has_value());
  EXPECT_EQ(model->parameters, 12u);
  EXPECT_EQ(model->macs, 24u);
  EXPECT_EQ(model->sha256.size(), 64u);
}

TEST_F(LoadTest, FindsExternalWeightsByTheirSafetensorsName) {
  WriteWeights(folder_ / "w.safetensors", {tensor::DType::kFloat32, {2, 3}});
  const auto model = Load(Write(kAddsW, WithExternal("w.safetensors", "128", "24")));
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "w").weight->tensor_name, "weight");
  EXPECT_EQ(ValueOf(model->graph, "w").weight->file, "w.safetensors");
}

TEST_F(LoadTest, HashesEveryWeightByte) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "w.bin", std::string(24, 'a')).ok());
  const auto path = Write(kAddsW, WithExternal("w.bin", "0", "24"));
  const std::string before = Load(path)->sha256;
  ASSERT_TRUE(WriteFileAtomically(folder_ / "w.bin", std::string(23, 'a') + "b").ok());
  EXPECT_NE(Load(path)->sha256, before);
}

TEST_F(LoadTest, ReportsAMissingFile) {
  ExpectError(Load(folder_ / "none.onnx"), Code::kNotFound, "none.onnx");
}

TEST_F(LoadTest, RefusesEveryTruncation) {
  const std::string whole = *ReadFile(Write(kAddsW, WithExternal("w", "0", "24")));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / "m.onnx", whole.substr(0, size)).ok());
    const auto model = Load(folder_ / "m.onnx");
    ASSERT_FALSE(model.ok()) << size;
    EXPECT_EQ(model.error().code, Code::kMalformed) << size << model.error().message;
  }
}

TEST_F(LoadTest, SurvivesEveryFlippedByte) {
  WriteWeights(folder_ / "w.safetensors", {tensor::DType::kFloat32, {2, 3}});
  const std::string whole = *ReadFile(
      Write("agraph (float[2,3] x) => (float[2,3] y) { s = Shape(x) z = ConstantOfShape(s) "
            "a = Add(x, w) y = Add(a, z) }",
            WithExternal("w.safetensors", "128", "24")));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int bits : {0x01, 0x80, 0xff}) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ bits);
      ASSERT_TRUE(WriteFileAtomically(folder_ / "m.onnx", flipped).ok());
      const auto model = Load(folder_ / "m.onnx");
      if (!model.ok()) {
        EXPECT_EQ(model.error().message.find('\n'), std::string::npos);
        EXPECT_NE(model.error().code, Code::kInternal);
      }
    }
  }
}

TEST_F(LoadTest, RefusesACyclicGraph) {
  ExpectError(LoadText("agraph (float[2] x) => (float[2] y) { a = Add(x, b) b = Relu(a) "
                       "y = Relu(b) }"),
              Code::kMalformed, "topologically sorted");
}

TEST_F(LoadTest, RefusesShapesThatOverflow) {
  ExpectError(LoadText("agraph (float[4611686018427387904,4] x) => (float[A,B] y) { y = Relu(x) }"),
              Code::kMalformed, "too many elements");
  ExpectError(LoadText("agraph (float[1] x) => (float[A,B] y) "
                       "<int64[2] s = {4611686018427387904, 4}> { y = Expand(x, s) }"),
              Code::kMalformed,
              "node '' (Expand) has 4.61169e+18 in 's', beyond any size of a tensor");
  ExpectError(LoadText("agraph (float[1] x) => (float[A,B,C] y) "
                       "<int64[3] s = {1073741824, 1073741824, 16}> { y = Expand(x, s) }"),
              Code::kMalformed, "too many elements");
  ExpectError(LoadText("agraph (float[-3] x) => (float[A] y) { y = Relu(x) }"),
              Code::kInvalidArgument, "has no size");
}

TEST_F(LoadTest, RefusesWindowsLargerThanTheirInput) {
  ExpectError(LoadText("agraph (float[1,1,2,2] x) => (float[A,B,C,D] y) "
                       "{ y = MaxPool<kernel_shape=[9,9]>(x) }"),
              Code::kMalformed, "negative dimension");
}

TEST_F(LoadTest, RefusesStridesOfZero) {
  ExpectError(LoadText("agraph (float[1,1,4,4] x) => (float[A,B,C,D] y) "
                       "{ y = MaxPool<kernel_shape=[2,2], strides=[0,0]>(x) }"),
              Code::kMalformed, "MaxPool");
}

TEST_F(LoadTest, RefusesInlineDataOfAnotherSize) {
  ExpectError(Load(Write("agraph (float[2] x) => (float[2] y) { y = Add(x, w) }",
                         [](onnx::ModelProto& proto) {
                           onnx::TensorProto& w = *proto.mutable_graph()->add_initializer();
                           w.set_name("w");
                           w.set_data_type(onnx::TensorProto::FLOAT);
                           w.add_dims(2);
                           w.set_raw_data("12345");
                         })),
              Code::kMalformed, "5 bytes");
}

TEST_F(LoadTest, RefusesExternalDataOutsideTheFolder) {
  ASSERT_TRUE(
      WriteFileAtomically(folder_.parent_path() / "outside.bin", std::string(24, 'a')).ok());
  std::filesystem::create_hard_link(folder_.parent_path() / "outside.bin", folder_ / "hard.bin");
  std::filesystem::create_directory_symlink(folder_.parent_path(), folder_ / "sub");
  const auto load = [&](const std::string& location) {
    return Load(Write(kAddsW, WithExternal(location, "0", "24")));
  };
  ExpectError(load("../outside.bin"), Code::kMalformed, "outside");
  ExpectError(load("sub/../../outside.bin"), Code::kMalformed, "outside");
  ExpectError(load("/etc/passwd"), Code::kMalformed, "absolute");
  ExpectError(load("hard.bin"), Code::kMalformed, "hard link");
  ExpectError(load("sub/outside.bin"), Code::kMalformed, "outside model directory");
  ExpectError(load("absent.bin"), Code::kMalformed, "not regular file");
  ExpectError(load(""), Code::kMalformed, "not be empty");
  std::filesystem::remove(folder_.parent_path() / "outside.bin");
}

TEST_F(LoadTest, FollowsLinksToPlainFilesOfTheUser) {
  const auto blobs = folder_ / "blobs";
  const auto snapshot = folder_ / "snapshots" / "1";
  std::filesystem::create_directories(blobs);
  std::filesystem::create_directories(snapshot);
  ASSERT_TRUE(WriteFileAtomically(blobs / "aa", std::string(24, 'a')).ok());
  std::filesystem::create_symlink("../../blobs/aa", snapshot / "w.bin");
  std::filesystem::rename(Write(kAddsW, WithExternal("w.bin", "0", "24")), blobs / "bb");
  std::filesystem::create_symlink("../../blobs/bb", snapshot / "m.onnx");
  const auto linked = Load(snapshot / "m.onnx");
  ASSERT_TRUE(linked.ok()) << linked.error().message;
  EXPECT_EQ(ValueOf(linked->graph, "w").weight->file, "w.bin");

  std::filesystem::remove(snapshot / "w.bin");
  std::filesystem::copy_file(blobs / "aa", snapshot / "w.bin");
  EXPECT_EQ(Load(snapshot / "m.onnx")->sha256, linked->sha256);
}

TEST_F(LoadTest, RefusesLinksToAnythingElse) {
  namespace fs = std::filesystem;
  const auto load = [&](const fs::path& target) {
    fs::remove(folder_ / "link.bin");
    fs::create_symlink(target, folder_ / "link.bin");
    return Load(Write(kAddsW, WithExternal("link.bin", "0", "24")));
  };
  ASSERT_TRUE(WriteFileAtomically(folder_ / "own.bin", std::string(24, 'a')).ok());
  EXPECT_TRUE(load("own.bin").ok());
  fs::create_symlink("/etc/passwd", folder_ / "second.bin");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  ExpectError(load("/etc/passwd"), Code::kMalformed, "/etc/passwd, a place of the system");
  ExpectError(load("second.bin"), Code::kMalformed, "/etc/passwd, a place of the system");
  ExpectError(load("/proc/self/environ"), Code::kMalformed, "a place of the system");
  ExpectError(load("/dev/zero"), Code::kMalformed, "a place of the system");
  ExpectError(load("fifo"), Code::kMalformed, "no regular file");
  ExpectError(load("."), Code::kMalformed, "no regular file");
  ExpectError(load("link.bin"), Code::kMalformed, "leads to no file");
  ExpectError(load("absent.bin"), Code::kMalformed, "leads to no file");
  fs::create_hard_link(folder_ / "own.bin", folder_ / "hard.bin");
  ExpectError(load("own.bin"), Code::kMalformed, "hard link");
}

TEST_F(LoadTest, FindsTheShapeOfAnOutputThatTheFileLeavesOpen) {
  const auto model = Load(Write("agraph (float[2,3] x) => (float[2,3] y) { y = Relu(x) }",
                                [](onnx::ModelProto& proto) {
                                  proto.mutable_graph()
                                      ->mutable_output(0)
                                      ->mutable_type()
                                      ->mutable_tensor_type()
                                      ->clear_shape();
                                }));
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "y").type.shape, (tensor::Shape{2, 3}));
}

TEST_F(LoadTest, RefusesExternalDataWhoseOffsetOrLengthLies) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "w.bin", std::string(30, 'a')).ok());
  const auto load = [&](const std::string& offset, const std::string& length) {
    return Load(Write(kAddsW, WithExternal("w.bin", offset, length)));
  };
  EXPECT_TRUE(load("6", "24").ok());
  ExpectError(load("7", "24"), Code::kMalformed, "from byte 7 over 24 in a file of 30");
  ExpectError(load("18446744073709551615", "24"), Code::kMalformed, "in a file of 30");
  ExpectError(load("0", "23"), Code::kMalformed, "has 23 bytes, but float32 of 2x3 takes 24");
  ExpectError(load("-1", "24"), Code::kMalformed, "no number as its offset");
  ExpectError(load("1e3", "24"), Code::kMalformed, "no number as its offset");
}

TEST_F(LoadTest, RefusesExternalDataThatContradictsTheSafetensorsHeader) {
  const auto load = [&](const std::string& offset) {
    return Load(Write(kAddsW, WithExternal("w.safetensors", offset, "24")));
  };
  WriteWeights(folder_ / "w.safetensors", {tensor::DType::kFloat32, {3, 2}});
  ExpectError(load("128"), Code::kMalformed, "is no float32 of 2x3 in w.safetensors");
  WriteWeights(folder_ / "w.safetensors", {tensor::DType::kFloat32, {2, 3}});
  ExpectError(load("124"), Code::kMalformed, "at byte 124 is no float32");
  ASSERT_TRUE(WriteFileAtomically(folder_ / "w.safetensors", std::string(200, 'a')).ok());
  ExpectError(load("128"), Code::kMalformed, "claims a header of");
}

TEST_F(LoadTest, AsksForOpenDimensionsByName) {
  const std::string graph = "agraph (float[N,3] x) => (float[N,3] y) { y = Relu(x) }";
  const auto open = LoadText(graph);
  ExpectError(open, Code::kInvalidArgument, "the dimension 'N' (axis 0 of 'x') has no size");
  EXPECT_EQ(open.error().hint, "for example --dim N=1");
  const auto model = LoadText(graph, {.dimensions = {{"N", 5}}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "y").type.shape, (tensor::Shape{5, 3}));
  ExpectError(LoadText(graph, {.dimensions = {{"N", 5}, {"batch", 1}}}), Code::kInvalidArgument,
              "no free dimension 'batch'");
  ExpectError(LoadText(graph, {.dimensions = {{"N", -5}}}), Code::kInvalidArgument,
              "dimension 'N' cannot be -5");
}

TEST_F(LoadTest, SizesDimensionsWithoutANameByInputAndAxis) {
  const std::string graph = "agraph (float[?,3] x) => (float[?,3] y) { y = Relu(x) }";
  ExpectError(LoadText(graph), Code::kInvalidArgument, "dimension 'x.0'");
  EXPECT_TRUE(LoadText(graph, {.dimensions = {{"x.0", 2}}}).ok());
}

/// Loads, and says why not all of it is typed.
std::string Unread(const Result<Model>& model) {
  EXPECT_TRUE(model.ok()) << model.error().message;
  return model.ok() && model->graph.unread ? model->graph.unread->message : "";
}

TEST_F(LoadTest, SaysWhichNodeItCannotReadAndKeepsAll) {
  const auto branches = LoadText(
      "agraph (bool c, float[2] x) => (float[2] y) { z = If (c) "
      "<then_branch = g1 () => (float[2] a) { a = Relu(x) }, "
      "else_branch = g2 () => (float[2] b) { b = Neg(x) }> y = Exp(z) }");
  EXPECT_EQ(Unread(branches), "node 'If_0' (If) is control flow");
  ASSERT_EQ(branches->graph.nodes.size(), 2u);
  const auto& bodies = branches->graph.nodes[0].bodies;
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_EQ(bodies.at("then_branch")->nodes.at(0).op, "Relu");
  EXPECT_EQ(ValueOf(*bodies.at("else_branch"), "b").type.shape, (tensor::Shape{2}));
  EXPECT_TRUE(ValueOf(branches->graph, "y").Typed());  // both branches give the same type

  EXPECT_EQ(Unread(LoadText("agraph (float[2] x) => (float[2] y) { y = com.acme.Magic(x) }")),
            "node '' (Magic) is of the domain 'com.acme'");
  EXPECT_EQ(Unread(LoadText("agraph (float[2] x) => (float[2] y) { y = Magic(x) }")),
            "node '' (Magic) is no operator of ONNX");
  const auto nonzero = LoadText("agraph (float[2] x) => (int64[1,n] y) { y = NonZero(x) }");
  EXPECT_EQ(Unread(nonzero), "the shape of 'y' from node '' (NonZero) depends on data");
  EXPECT_EQ(ValueOf(nonzero->graph, "y").open, "int64 1x?");
  EXPECT_EQ(Unread(LoadText("agraph (float[2] x) => (float[2] y) { s = SequenceConstruct(x, x) "
                            "i = Constant<value_int = 0>() y = SequenceAt(s, i) }")),
            "'s' from node '' (SequenceConstruct) is a sequence of float32 2");
  EXPECT_EQ(Unread(LoadText("agraph (string[2] x) => (string[2] y) { y = Identity(x) }")),
            "'x' is text");
}

TEST_F(LoadTest, TypesGoOnBehindWhatDependsOnData) {
  const auto model = LoadText(
      "agraph (float[4] x) => (float[2] y) { n = NonZero(x) f = Cast<to = 1>(n) "
      "m = ReduceSum<keepdims = 0>(f) s = Constant<value_ints = [2]>() y = Expand(m, s) }");
  EXPECT_NE(Unread(model), "");
  EXPECT_EQ(ValueOf(model->graph, "f").open, "float32 1x?");
  EXPECT_EQ(ValueOf(model->graph, "y").type.shape, (tensor::Shape{2}));
}

TEST_F(LoadTest, TakesTheBranchOfAnIfWhoseConditionFolds) {
  const std::string graph =
      "agraph (float[N,2] x) => (float[A,B] y) <int64 one = {1}, int64 zero = {0}> "
      "{ s = Shape(x) n = Gather(s, zero) c = Equal(n, one) y = If (c) "
      "<then_branch = g1 () => (float[P,Q] a) { a = Transpose(x) }, "
      "else_branch = g2 () => (float[P,Q] a) { h = Relu(x) a = Neg(h) }> }";
  const auto one = LoadText(graph, {.dimensions = {{"N", 1}}});
  EXPECT_EQ(Unread(one), "");
  EXPECT_EQ(ValueOf(one->graph, "y").type.shape, (tensor::Shape{2, 1}));
  const auto three = LoadText(graph, {.dimensions = {{"N", 3}}});
  EXPECT_EQ(Unread(three), "");
  ASSERT_EQ(three->graph.nodes.size(), 3u);
  EXPECT_EQ(three->graph.nodes[0].op, "Relu");
  EXPECT_EQ(three->graph.nodes[1].name, "If_3/Neg_1");
  EXPECT_EQ(three->graph.nodes[2].op, "Identity");
}

TEST_F(LoadTest, InlinesTheFilesOwnFunctions) {
  const auto model = Load(Write(
      "agraph (float[2] x) => (float[2] y) { y = own.Twice(x) }", [](onnx::ModelProto& proto) {
        onnx::OperatorSetIdProto& own = *proto.add_opset_import();
        own.set_domain("own");
        own.set_version(1);
        const auto status = onnx::OnnxParser::Parse(*proto.add_functions(),
                                                    "<opset_import: [\"\" : 20], domain: \"own\"> "
                                                    "Twice (a) => (b) { b = Add(a, a) }");
        ASSERT_TRUE(status.IsOK()) << status.ErrorMessage();
      }));
  EXPECT_EQ(Unread(model), "");
  EXPECT_EQ(model->graph.nodes.at(0).op, "Add");
}

TEST_F(LoadTest, SortsNodes) {
  const auto model =
      LoadText("agraph (float[2] x) => (float[2] y) { y = Neg(b) b = Relu(a) a = Exp(x) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->graph.nodes.at(0).op, "Exp");
  EXPECT_EQ(model->graph.nodes.at(2).op, "Neg");
}

TEST_F(LoadTest, RefusesAModelWithoutOutputs) {
  ExpectError(Load(Write("agraph (float[2] x) => (float[2] y) { y = Relu(x) }",
                         [](onnx::ModelProto& proto) { proto.mutable_graph()->clear_output(); })),
              Code::kMalformed, "has no outputs");
}

TEST_F(LoadTest, WarnsOfOutputsOfAnotherShapeThanDeclared) {
  const auto model = LoadText("agraph (float[2] x) => (float[3] y) { y = Relu(x) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->graph.warnings,
            std::vector<std::string>{"output 'y' is declared as 3, but is 2"});
  EXPECT_EQ(ValueOf(model->graph, "y").type.shape, (tensor::Shape{2}));
}

TEST_F(LoadTest, DoesNotReadVersionsNewerThanTheLibrary) {
  EXPECT_NE(Unread(Load(Write("agraph (float[2] x) => (float[2] y) { y = Relu(x) }",
                              [](onnx::ModelProto& proto) {
                                proto.mutable_opset_import(0)->set_version(9999);
                              }))),
            "");
}

TEST_F(LoadTest, RefusesTwoVersionsOfTheStandardsOperators) {
  ExpectError(Load(Write("agraph (float[2] x) => (float[2] y) { y = Relu(x) }",
                         [](onnx::ModelProto& proto) {
                           onnx::OperatorSetIdProto& other = *proto.add_opset_import();
                           other.set_domain("ai.onnx");
                           other.set_version(7);
                         })),
              Code::kMalformed, "it names two opsets, 7 and 20");
}

TEST_F(LoadTest, RefusesNamesThatNoJsonFileCouldHold) {
  const auto named = [&](const char* name) {
    return Load(Write(
        "agraph (float[2] x) => (float[2] y) { y = Relu(x) }",
        [&](onnx::ModelProto& proto) { proto.mutable_graph()->mutable_node(0)->set_name(name); }));
  };
  EXPECT_TRUE(named("/layer.0/w\xc3\xa4rme:1").ok());
  ExpectError(named("a\nb"), Code::kMalformed, "the name 'a b' of a node is no text");
  ExpectError(named("a\xff"), Code::kMalformed, "the name 'a?' of a node is no text");
}

TEST_F(LoadTest, RefusesOperandsLeftOutOfAList) {
  ExpectError(Load(Write("agraph (float[2] x) => (float[2] y) { y = Concat<axis = 0>(x) }",
                         [](onnx::ModelProto& proto) {
                           proto.mutable_graph()->mutable_node(0)->add_input("");
                         })),
              Code::kMalformed, "lacks operand 1");
}

TEST_F(LoadTest, RefusesAttributesThatInferenceWouldOverflowWith) {
  ExpectError(LoadText("agraph (float[1,1,4,4] x) => (float[1,1,4,4] y) "
                       "{ y = MaxPool<kernel_shape = [1, 1], strides = [4294967296, 1]>(x) }"),
              Code::kMalformed, "attribute 'strides' of node '' (MaxPool) is 4294967296");
}

TEST_F(LoadTest, RefusesEquationsThatInferenceWouldNotEndOn) {
  for (const char* equation : {"-&", "i;j", "ij->i->j", "i..j"}) {
    ExpectError(
        LoadText(fmt::format("agraph (float x) => (float y) {{ y = Einsum<equation = \"{}\">(x) }}",
                             equation)),
        Code::kMalformed, fmt::format("node '' (Einsum) has no equation in '{}'", equation));
  }
}

TEST_F(LoadTest, RefusesScalesThatInferenceWouldOverflowWith) {
  const auto resize = [](const char* height, const char* attributes, const char* inputs) {
    return fmt::format("agraph (float[1,1,{},4] x) => (float[A,B,C,D] y) <{}> {{ y = Resize{} }}",
                       height, inputs, attributes);
  };
  for (const char* scale : {"1e24", "-1e24"}) {
    ExpectError(
        LoadText(resize("4", "(x, , s)", fmt::format("float[4] s = {{1,1,1,{}}}", scale).c_str())),
        Code::kMalformed, "node '' (Resize) scales 4 elements by");
  }
  ExpectError(LoadText(resize("0", "<keep_aspect_ratio_policy = \"not_smaller\">(x, , , s)",
                              "int64[4] s = {1,1,7,8}")),
              Code::kMalformed, "keeps the aspect ratio of an axis without elements");
}

TEST_F(LoadTest, RefusesAxesThatAreNoOrderOfThem) {
  for (const char* perm : {"2,0", "0,0,1", "0,1,3", "0,1,2,3"}) {
    ExpectError(LoadText(fmt::format("agraph (float[1,2,3] x) => (float[A,B,C] y) "
                                     "{{ y = Transpose<perm=[{}]>(x) }}",
                                     perm)),
                Code::kMalformed, "Transpose");
  }
}

TEST_F(LoadTest, RefusesFramesThatGoNowhere) {
  ExpectError(LoadText("agraph (float[1,128,1] x) => (float[A,B,C,D] y) "
                       "<int64 step = {0}, int64 length = {16}> { y = STFT(x, step, , length) }"),
              Code::kMalformed, "node '' (STFT) steps from frame to frame by 0");
}

TEST_F(LoadTest, RefusesRangesThatInferenceWouldOverflowWith) {
  for (const char* numbers : {"int32 a = {-2147483642}, int32 b = {10}, int32 c = {1}",
                              "float a = {0}, float b = {1}, float c = {1e-30}",
                              "float a = {0}, float b = {1}, float c = {0}",
                              "int64 a = {0}, int64 b = {9223372036854775807}, int64 c = {1}"}) {
    const std::string type = std::string(numbers).substr(0, std::string(numbers).find(' '));
    ExpectError(LoadText(fmt::format("agraph (float x) => ({}[N] y) <{}> {{ y = Range(a, b, c) }}",
                                     type, numbers)),
                Code::kMalformed, "node '' (Range) counts from");
  }
}

}  // namespace
}  // namespace assay::model
