// The harness of the C++ tests: one executable per file that includes this once. A failed check is printed
// with its place and the test goes on; the last line is `N passed, N failed`, and the exit status says the
// same.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ohws::check {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

inline int& FailedChecks() {
  static int failed = 0;
  return failed;
}

struct Registration {
  Registration(const char* name, void (*run)()) { Tests().push_back({name, run}); }
};

// The seed of every random test in this run: new each time and printed, or OHWS_TEST_SEED to repeat a run.
inline uint64_t Seed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("OHWS_TEST_SEED");
    const uint64_t chosen = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    std::printf("seed: OHWS_TEST_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

class Random {
 public:
  // `stream` keeps tests apart that share the seed.
  explicit Random(uint64_t stream) : engine_(Seed() ^ (stream * 0x9e3779b97f4a7c15U)) {}

  // 0 to `bound` - 1; `bound` is not 0.
  size_t Below(size_t bound) { return static_cast<size_t>(engine_() % bound); }
  uint8_t Byte() { return static_cast<uint8_t>(engine_()); }
  std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(Byte());
    return bytes;
  }

 private:
  std::mt19937_64 engine_;
};

template <typename T>
std::string Describe(const T& value) {
  if constexpr (std::is_convertible_v<T, std::string_view>) {
    std::string text = "\"";
    for (const char c : std::string_view(value)) {
      char escaped[8];
      const bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
      std::snprintf(escaped, sizeof(escaped), plain ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
      text += escaped;
    }
    return text + '"';
  } else if constexpr (std::is_enum_v<T>) {
    return "enum " + std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else {
    return "(a value)";
  }
}

template <typename A, typename B>
bool Equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    return std::cmp_equal(+a, +b);
  } else {
    return a == b;
  }
}

inline void Report(bool ok, const char* file, int line, const char* what) {
  if (ok) return;
  ++FailedChecks();
  std::printf("%s:%d: failed: %s\n", file, line, what);
}

template <typename A, typename B>
void ReportEqual(const A& a, const B& b, const char* file, int line, const char* what) {
  if (Equal(a, b)) return;
  Report(false, file, line, what);
  std::printf("    left:  %s\n    right: %s\n", Describe(a).c_str(), Describe(b).c_str());
}

inline int RunAll() {
  int passed = 0;
  int failed = 0;
  for (const Test& test : Tests()) {
    const int before = FailedChecks();
    test.run();
    const bool ok = FailedChecks() == before;
    std::printf("%s %s\n", ok ? "ok  " : "FAIL", test.name);
    ++(ok ? passed : failed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace ohws::check

#define TEST(name)                                                                 \
  static void Test_##name();                                                       \
  static const ohws::check::Registration registration_##name(#name, &Test_##name); \
  static void Test_##name()

#define CHECK(condition) ohws::check::Report(static_cast<bool>(condition), __FILE__, __LINE__, #condition)

#define CHECK_EQ(a, b) ohws::check::ReportEqual((a), (b), __FILE__, __LINE__, #a " == " #b)

int main() { return ohws::check::RunAll(); }
