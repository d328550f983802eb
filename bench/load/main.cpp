// A load generator for WebSocket servers on this machine. It keeps messages going round on many
// connections, compares each one that comes back with what was sent, and prints one line of JSON
// with what it measured. Exit status: 0 all is well, 1 the server did something wrong (said on stderr and in
// the JSON), 2 the arguments make no sense.

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "failure.h"
#include "load.h"
#include "options.h"

namespace ohws::bench {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c >= ' ' && c <= '~' ? c : '?');
  }
  return quoted + '"';
}

void Print(const Result& result, const std::string& error) {
  const double count = static_cast<double>(result.count);
  std::printf("{\"count\":%.0f,\"seconds\":%.6f,\"rate\":%.1f,", count, result.seconds,
              result.seconds > 0 ? count / result.seconds : 0);
  const auto microseconds = [&result](double part) {
    return static_cast<double>(result.latency_ns.Percentile(part)) / 1e3;
  };
  std::printf("\"lateUs\":%.1f,", static_cast<double>(result.lateness_ns.Percentile(0.99)) / 1e3);
  std::printf("\"latencyUs\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f},",
              microseconds(0.5), microseconds(0.9), microseconds(0.99), microseconds(0.999), microseconds(1));
  std::printf("\"connectSeconds\":%.6f,\"cpuUserUs\":%.0f,\"cpuSystemUs\":%.0f,", result.connect_seconds,
              result.cpu_user_us, result.cpu_system_us);
  std::printf("\"verified\":%llu,\"errors\":[%s]}\n", static_cast<unsigned long long>(result.verified),
              error.empty() ? "" : Quoted(error).c_str());
}

void AllowManySockets() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlive the benchmark
  prctl(PR_SET_TIMERSLACK, 1UL);     // a timetable is kept to the microsecond
  std::signal(SIGPIPE, SIG_IGN);     // OpenSSL writes without MSG_NOSIGNAL
  AllowManySockets();
  Options options;
  if (!ParseOptions(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::unique_ptr<Load> load;
  std::string error;
  try {
    load = std::make_unique<Load>(options);
    load->Run();
  } catch (const Failure& failure) {
    error = failure.what();
    std::fprintf(stderr, "load: %s\n", error.c_str());
  }
  Print(load != nullptr ? load->result() : Result{}, error);
  return error.empty() ? 0 : 1;
}

}  // namespace
}  // namespace ohws::bench

int main(int argc, char** argv) { return ohws::bench::Main(argc, argv); }
