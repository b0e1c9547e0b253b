#include "hardware/profiles.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay::hardware {
namespace {

std::string Bare(std::string_view name) {
  std::string bare = ToLower(name);
  std::erase_if(bare, [](char c) { return c == '-' || c == '_' || c == ' '; });
  return bare;
}

bool Is(const Profile& profile, const std::string& bare) {
  return Bare(profile.name) == bare ||
         std::ranges::any_of(profile.aliases, [&](const auto& a) { return Bare(a) == bare; });
}

}  // namespace

bool SameName(std::string_view a, std::string_view b) {
  return Bare(a) == Bare(b) && !Bare(a).empty();
}

const std::vector<Profile>& Profiles() {
  static const std::vector<Profile> kProfiles = [] {
    std::vector<Profile> profiles;
    for (const std::string_view text : ProfileTexts()) {
      const auto json = ParseJson(text, "a profile");
      auto profile = json ? ProfileFromJson(*json, "a profile") : Result<Profile>(json.error());
      if (profile) {
        profiles.push_back(*std::move(profile));
      }
    }
    std::ranges::sort(profiles, {}, &Profile::name);
    return profiles;
  }();
  return kProfiles;
}

Result<Profile> FindProfile(std::string_view name) {
  const std::string bare = Bare(name);
  std::vector<std::string> of_family, all;
  const Profile* member = nullptr;
  for (const Profile& profile : Profiles()) {
    if (Is(profile, bare)) {
      return profile;
    }
    if (std::ranges::any_of(profile.families, [&](const auto& f) { return Bare(f) == bare; })) {
      of_family.push_back(profile.name);
      member = &profile;
    }
    all.push_back(profile.name);
    all.insert(all.end(), profile.aliases.begin(), profile.aliases.end());
  }
  if (of_family.size() == 1) {
    return *member;
  }
  if (!of_family.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("'{}' is the name of several processors", name),
                 fmt::format("say which: {}", Join(of_family, ", "))};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("no hardware '{}'{}", name, DidYouMean(name, all)),
               "assay hardware lists them; 'this' is this machine, a path to a .json one of yours"};
}

Result<Profile> ReadProfile(const std::string& path) {
  ASSAY_ASSIGN(const Json json, ReadJson(path));
  return ProfileFromJson(json, path);
}

}  // namespace assay::hardware
