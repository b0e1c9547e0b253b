#include <gmock/gmock.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "base/file.h"
#include "engine/protocol.h"

namespace assay::engine {
namespace {

using ::testing::HasSubstr;

std::string FrameOf(std::string_view body) {
  std::string frame;
  for (int shift = 0; shift < 32; shift += 8) {
    frame += static_cast<char>(body.size() >> shift);
  }
  return frame.append(body);
}

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    here = Descriptor(fds[0]);
    there = Descriptor(fds[1]);
  }
  void Send(std::string_view bytes) {
    EXPECT_EQ(::send(here.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  Descriptor here, there;
};

TEST(FrameTest, ComesOutAsItWentIn) {
  Pair pair;
  const Json message = {{"verb", "describe"}, {"n", 1.25}, {"text", "\n\u00e9"}};
  ASSERT_TRUE(WriteFrame(pair.here.get(), message).ok());
  ASSERT_TRUE(WriteFrame(pair.here.get(), Json::object()).ok());
  EXPECT_EQ(*ReadFrame(pair.there.get()), message);
  EXPECT_EQ(*ReadFrame(pair.there.get()), Json::object());
}

TEST(FrameTest, CarriesMoreThanASocketHoldsAtOnce) {
  Pair pair;
  const Json message = {{"long", std::string(5'000'000, 'x')}};
  std::thread writer([&] { EXPECT_TRUE(WriteFrame(pair.here.get(), message).ok()); });
  const Result<Json> got = ReadFrame(pair.there.get());
  writer.join();
  EXPECT_EQ(*got, message);
}

TEST(FrameTest, ReplacesBytesThatAreNoText) {
  Pair pair;
  ASSERT_TRUE(WriteFrame(pair.here.get(), {{"message", "a\xff z"}}).ok());
  EXPECT_EQ(ReadFrame(pair.there.get())->at("message"), "a\uFFFD z");
}

TEST(FrameTest, RefusesToWriteMoreThanAFrameHolds) {
  Pair pair;
  const Status status = WriteFrame(pair.here.get(), {{"long", std::string(kMaxFrameBytes, 'x')}});
  EXPECT_EQ(status.error().code, Code::kInternal);
}

TEST(FrameTest, ReportsCrashedWhenTheOtherSideIsGone) {
  Pair pair;
  pair.Send(FrameOf("{}").substr(0, 5));  // and dies in mid-frame
  pair.here = Descriptor();
  EXPECT_EQ(ReadFrame(pair.there.get()).error().code, Code::kCrashed);
  EXPECT_EQ(WriteFrame(pair.there.get(), Json::object()).error().code, Code::kCrashed);
}

TEST(FrameTest, RefusesTextThatIsNoFrame) {
  Pair pair;
  pair.Send("[INFO] a runtime prints here\n");
  const Result<Json> got = ReadFrame(pair.there.get());
  EXPECT_EQ(got.error().code, Code::kMalformed);
  EXPECT_THAT(got.error().message, HasSubstr("[INF"));
}

TEST(FrameParserTest, PutsAFrameTogetherByteByByte) {
  FrameParser parser;
  const std::string frame = FrameOf(R"({"ok": true})");
  for (const char& byte : frame) {
    EXPECT_TRUE(parser.Next()->is_null());
    parser.Feed(&byte, 1);
  }
  EXPECT_EQ(*parser.Next(), Json({{"ok", true}}));
  EXPECT_TRUE(parser.Next()->is_null());
}

TEST(FrameParserTest, TakesSeveralFramesOutOfOnePiece) {
  FrameParser parser;
  const std::string bytes = FrameOf(R"({"n":1})") + FrameOf(R"({"n":2})") + "\x07";
  parser.Feed(bytes.data(), bytes.size());
  EXPECT_EQ(parser.Next()->at("n"), 1);
  EXPECT_EQ(parser.Next()->at("n"), 2);
  EXPECT_TRUE(parser.Next()->is_null());
}

TEST(FrameParserTest, RefusesAHugeFrameBeforeItComes) {
  FrameParser parser;
  parser.Feed("\xff\xff\xff\xff", 4);
  const Result<Json> got = parser.Next();
  EXPECT_EQ(got.error().code, Code::kMalformed);
  EXPECT_THAT(got.error().message, HasSubstr("4294967295"));
}

TEST(FrameParserTest, TellsTheTextOfAStrayPrint) {
  FrameParser parser;
  const std::string print = "[W] falling back\n";
  parser.Feed(print.data(), print.size());
  EXPECT_THAT(parser.Next().error().message, HasSubstr("'[W] falling back.'"));
}

TEST(FrameParserTest, RefusesWhatIsNoJsonObject) {
  for (const std::string body : {"", "{\"ok\": tru", "[1]", "7", "\"text\"", "{}{}", "\xff\xfe"}) {
    FrameParser parser;
    const std::string frame = FrameOf(body);
    parser.Feed(frame.data(), frame.size());
    EXPECT_EQ(parser.Next().error().code, Code::kMalformed) << body;
  }
}

TEST(FrameParserTest, SurvivesJsonOfAbsurdDepth) {
  constexpr std::size_t kDepth = 500'000;
  FrameParser parser;
  const std::string frame =
      FrameOf("{\"a\":" + std::string(kDepth, '[') + std::string(kDepth, ']') + "}");
  parser.Feed(frame.data(), frame.size());
  EXPECT_TRUE(parser.Next()->contains("a"));
}

}  // namespace
}  // namespace assay::engine
