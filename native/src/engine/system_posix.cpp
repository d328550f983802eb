// The engine's wishes on Linux and macOS. Any thread.
#include <pthread.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "engine/system.h"

namespace ohws {

namespace {

timespec ModifiedAt(const struct stat& status) {
#ifdef __APPLE__
  return status.st_mtimespec;
#else
  return status.st_mtim;
#endif
}

}  // namespace

uint64_t MonotonicUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

bool FillFromSystem(uint8_t* out, size_t size) {
  constexpr size_t kMost = 256;
  while (size > 0) {
    const size_t part = std::min(size, kMost);
    if (getentropy(out, part) != 0) continue;
    out += part;
    size -= part;
  }
  return true;
}

std::string FileStamp(const std::string& path) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0) return {};
  const timespec modified = ModifiedAt(status);
  return std::to_string(modified.tv_sec) + '.' + std::to_string(modified.tv_nsec) + ' ' +
         std::to_string(status.st_size) + ' ' + std::to_string(status.st_ino);
}

struct SystemThread::Handle {
  pthread_t id{};
  Main main = nullptr;
  void* argument = nullptr;

  static void* Run(void* opaque) {
    const Handle& handle = *static_cast<const Handle*>(opaque);
    handle.main(handle.argument);
    return nullptr;
  }
};

SystemThread::SystemThread() = default;
SystemThread::~SystemThread() = default;

// Not std::thread, which throws where the system has no thread for us.
bool SystemThread::Start(Main main, void* argument) {
  handle_ = std::make_unique<Handle>();
  handle_->main = main;
  handle_->argument = argument;
  // The new thread inherits this mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started = pthread_create(&handle_->id, nullptr, Handle::Run, handle_.get()) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void SystemThread::Join() { pthread_join(handle_->id, nullptr); }

// Node's OpenSSL was built for another place.
std::string SystemTrustFile() {
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/certs/cacert.pem"}) {
    struct stat status {};
    if (stat(path, &status) == 0) return path;
  }
  return {};
}

void AddSystemTrust(ssl_ctx_st*) {}

}  // namespace ohws
