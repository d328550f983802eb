// What control.mjs asks of a server: its CPU time and its memory, as a line of JSON on stdout.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>

namespace ohws::bench {

inline void PrintStats() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) {
    return static_cast<long long>(time.tv_sec) * 1000000 + time.tv_usec;
  };
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  long long pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  std::printf("{\"atUs\":%lld,\"cpuUserUs\":%lld,\"cpuSystemUs\":%lld,",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()),
              microseconds(usage.ru_utime), microseconds(usage.ru_stime));
  std::printf("\"rssBytes\":%lld,\"maxRssBytes\":%lld}\n", pages * sysconf(_SC_PAGESIZE),
              static_cast<long long>(usage.ru_maxrss) * 1024);
  std::fflush(stdout);
}

}  // namespace ohws::bench
