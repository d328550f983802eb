// Any origin and list: an exact entry stands for itself, a wildcard for host names alone.
#include "protocol/origin.h"

#include "fuzz.h"

namespace ohws::fuzz {

void FuzzOne(Input input) {
  std::vector<std::string> entries;
  for (size_t count = input.Below(4); count > 0; --count) entries.push_back(input.Text(30));
  const std::string origin = input.Rest();
  const bool allowed = IsAllowedOrigin(origin, entries);

  std::string plain = origin;
  for (char& c : plain) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const auto& [scheme, port] :
       {std::pair<std::string, std::string>{"http://", ":80"}, {"https://", ":443"}}) {
    if (plain.starts_with(scheme) && plain.ends_with(port)) plain.resize(plain.size() - port.size());
  }
  bool expected = false;
  for (const std::string& entry : entries) {
    expected = expected || entry == plain;
    const size_t star = entry.find('*');
    if (star == std::string::npos) continue;
    // Every text that the star may stand for, tried.
    for (size_t size = 1; star + size <= plain.size(); ++size) {
      const std::string name = plain.substr(star, size);
      if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") != std::string::npos ||
          name[0] == '.')
        break;
      expected = expected || entry.substr(0, star) + name + entry.substr(star + 1) == plain;
    }
  }
  // An entry with a star is never meant to the letter.
  if (plain.find('*') == std::string::npos) REQUIRE(allowed == expected);
  REQUIRE(!IsAllowedOrigin(origin, {}));
}

}  // namespace ohws::fuzz
