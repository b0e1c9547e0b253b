#include "conversion/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "conversion/parts.h"

namespace assay::conversion {
namespace {

/// The arms of a run that asks for none, in its order.
constexpr const char* kDefault =
    "EAGER,COMPILE_INDUCTOR_DEFAULT,EXPORT+AOT_INDUCTOR,EXPORT+AOT_INDUCTOR+FREEZING,ONNX_CPU,"
    "COMPILE_OPENVINO";

/// One word of the list, taken apart.
struct Word {
  std::string name;     // upper case: a name, a number or a pattern
  std::string written;  // the same as it was written
  std::string engine;   // lower case; "" for none
  bool excludes = false;

  bool IsPattern() const { return name.find_first_of("*?") != std::string::npos; }
};

std::string Trimmed(std::string_view word) {
  const std::size_t begin = word.find_first_not_of(" \t");
  const std::size_t end = word.find_last_not_of(" \t");
  return begin == std::string_view::npos ? "" : std::string(word.substr(begin, end - begin + 1));
}

/// * stands for any characters, ? for one; all others for themselves.
bool Fits(std::string_view pattern, std::string_view text) {
  std::size_t at = 0, in = 0;
  std::optional<std::size_t> star;  // the last one met,
  std::size_t swallowed = 0;        // and where in `text` what follows it is tried
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      swallowed = in;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[in])) {
      ++at;
      ++in;
    } else if (star) {
      at = *star + 1;
      in = ++swallowed;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

/// The conversions that a word means; none when there are none.
std::vector<const Conversion*> Meant(const Word& word) {
  if (!word.IsPattern()) {
    const Conversion* found = Find(word.name);
    return found == nullptr ? std::vector<const Conversion*>{} : std::vector{found};
  }
  std::vector<const Conversion*> meant;
  for (const Conversion& c : Registry()) {
    if (Fits(word.name, ToUpper(c.name)) ||
        (!c.alias.empty() && Fits(word.name, ToUpper(c.alias)))) {
      meant.push_back(&c);
    }
  }
  return meant;
}

Error Unknown(const Word& word) {
  std::string letters = word.written;
  std::erase_if(letters, [](char c) { return c == '*' || c == '?'; });
  std::vector<std::string> names;
  for (const Conversion& conversion : Registry()) {
    names.push_back(conversion.name);
  }
  if (word.IsPattern()) {
    for (const Part& part : Parts()) {
      names.emplace_back(part.name);
    }
  }
  return {Code::kInvalidArgument,
          fmt::format("{} '{}'{}", word.IsPattern() ? "no conversion fits" : "no conversion",
                      word.written, DidYouMean(letters, names)),
          "assay conversions lists them"};
}

/// The route on `engine`, "" for the first; the test engine serves every conversion when it is
/// allowed.
std::optional<Route> RouteOn(const Conversion& conversion, const std::string& engine,
                             TestEngines test_engines) {
  if (engine.empty()) {
    return conversion.routes.front();
  }
  for (const Route& route : conversion.routes) {
    if (route.engine == engine) {
      return route;
    }
  }
  if (engine == kTestEngine && test_engines == TestEngines::kAllowed) {
    return Route{kTestEngine, conversion.routes.front().preparer.empty() ? "" : kTestEngine};
  }
  return std::nullopt;
}

Error CannotRun(const std::string& engine, const Conversion& conversion) {
  std::vector<std::string> able;
  for (const Route& route : conversion.routes) {
    able.push_back(route.engine);
  }
  return {Code::kInvalidArgument,
          fmt::format("engine '{}' cannot run {} (engines that can: {})", engine, conversion.name,
                      Join(able, ", ")),
          fmt::format("{}@{}, or {} alone for {}", conversion.name, able.front(), conversion.name,
                      able.front())};
}

Result<Word> ParseWord(const std::string& part, std::string_view list) {
  const std::string text = Trimmed(part);
  const bool excludes = text.starts_with('!');
  const std::string bare = Trimmed(excludes ? text.substr(1) : text);
  const std::size_t at = bare.find('@');
  Word word{.name = "", .written = bare.substr(0, at), .engine = "", .excludes = excludes};
  word.name = ToUpper(word.written);
  if (word.name.empty()) {
    return Error{Code::kInvalidArgument, fmt::format("an empty name in the conversions '{}'", list),
                 "separate names by one comma: --conversions EAGER,ONNX_CPU"};
  }
  if (at != std::string::npos) {
    word.engine = ToLower(bare.substr(at + 1));
    if (excludes) {
      return Error{Code::kInvalidArgument,
                   fmt::format("'{}' leaves out a conversion on one engine only", text),
                   fmt::format("leave it out altogether: !{}", word.name)};
    }
    if (word.engine.empty()) {
      return Error{Code::kInvalidArgument, fmt::format("no engine behind the @ of '{}'", text),
                   "assay engines lists them"};
    }
  }
  return word;
}

/// Gathers the choices of a list, word by word, and what is wrong with it.
class Selection {
 public:
  explicit Selection(TestEngines test_engines) : test_engines_(test_engines) {}

  void Take(const Word& word) {
    const std::vector<const Conversion*> meant = Meant(word);
    const std::size_t wrong_before = errors_.size();
    bool any = false;
    for (const Conversion* conversion : meant) {
      const auto route = RouteOn(*conversion, word.engine, test_engines_);
      any = any || route.has_value();
      if (route) {
        Add(*conversion, *route, word);
      } else if (!word.IsPattern()) {
        errors_.push_back(CannotRun(word.engine, *conversion));
      }
    }
    if (!any && errors_.size() == wrong_before) {
      errors_.push_back(meant.empty() ? Unknown(word)
                                      : Error{Code::kInvalidArgument,
                                              fmt::format("engine '{}' can run none of '{}'",
                                                          word.engine, word.written),
                                              "assay conversions NAME says which engines can"});
    }
  }

  void LeaveOut(const Word& word) {
    const std::vector<const Conversion*> meant = Meant(word);
    if (meant.empty()) {
      errors_.push_back(Unknown(word));
    }
    for (const Conversion* conversion : meant) {
      for (const Taken& taken : taken_) {
        if (taken.choice.conversion.id == conversion->id && taken.by_name) {
          errors_.push_back({Code::kInvalidArgument,
                             fmt::format("conversion {} is named and left out by '!{}'",
                                         taken.choice.label, word.written),
                             "drop the one or the other"});
        }
      }
      std::erase_if(
          taken_, [&](const Taken& taken) { return taken.choice.conversion.id == conversion->id; });
    }
  }

  Result<std::vector<Choice>> Finish(std::string_view list) && {
    if (!errors_.empty()) {
      std::vector<std::string> messages;
      for (const Error& error : errors_) {
        messages.push_back(error.message);
      }
      return Error{Code::kInvalidArgument, Join(messages, "; "), errors_.front().hint};
    }
    if (taken_.empty()) {
      return Error{Code::kInvalidArgument, fmt::format("'{}' leaves no conversion", list),
                   "assay conversions lists them"};
    }
    std::vector<Choice> choices;
    for (Taken& taken : taken_) {
      choices.push_back(std::move(taken.choice));
    }
    return choices;
  }

 private:
  struct Taken {
    Choice choice;
    bool by_name = false;  // not by a pattern
  };

  void Add(const Conversion& conversion, const Route& route, const Word& word) {
    std::string label = conversion.name + (word.engine.empty() ? "" : "@" + word.engine);
    const bool by_name = !word.IsPattern();
    const auto before = std::find_if(taken_.begin(), taken_.end(), [&](const Taken& taken) {
      return taken.choice.label == label;
    });
    if (before == taken_.end()) {
      taken_.push_back({{conversion, route, std::move(label)}, by_name});
    } else if (by_name && before->by_name) {
      errors_.push_back({Code::kInvalidArgument, fmt::format("conversion {} is named twice", label),
                         "name each once; --control adds the baseline a second time"});
    } else {
      before->by_name = before->by_name || by_name;
    }
  }

  TestEngines test_engines_;
  std::vector<Taken> taken_;
  std::vector<Error> errors_;
};

}  // namespace

Result<std::vector<Choice>> Select(std::string_view list, TestEngines test_engines) {
  std::vector<Word> words;
  for (const std::string& part : Split(list, ',')) {
    ASSAY_ASSIGN(Word word, ParseWord(part, list));
    words.push_back(std::move(word));
  }
  Selection selection(test_engines);
  if (std::all_of(words.begin(), words.end(), [](const Word& w) { return w.excludes; })) {
    selection.Take({.name = "*", .written = "*", .engine = "", .excludes = false});
  }
  for (const Word& word : words) {
    if (!word.excludes) {
      selection.Take(word);
    }
  }
  for (const Word& word : words) {
    if (word.excludes) {
      selection.LeaveOut(word);
    }
  }
  return std::move(selection).Finish(list);
}

std::vector<Choice> DefaultChoices() {
  auto choices = Select(kDefault);
  return choices ? *std::move(choices) : std::vector<Choice>{};
}

Legality LegalityOf(const Choice& choice, const Host& host) {
  if (!choice.left_out.empty()) {
    return {.able = Error{Code::kUnsupported, "tiers leave it out: " + choice.left_out,
                          "ask for it by name: --conversions " + choice.label},
            .warning = ""};
  }
  return choice.route.engine == kTestEngine ? Legality{} : LegalityOf(choice.conversion, host);
}

}  // namespace assay::conversion
