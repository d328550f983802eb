// What the engine wants of the operating system beside sockets: the time, random bytes, what a file was like,
// a thread, the certificates that it trusts. Implemented by system_posix.cpp and system_windows.cpp. Any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace ohws {

// Of the monotonic clock that Node's `process.hrtime` tells too.
uint64_t MonotonicUs();

// Bytes that nobody can foretell; waits where the system has none yet.
bool FillFromSystem(uint8_t* out, size_t size);

// Differs from what it was when the file has changed, or is another; empty if there is none.
std::string FileStamp(const std::string& path);

// A thread on which the process's signals are not handled: they are Node's business.
class SystemThread {
 public:
  using Main = void (*)(void* argument);

  SystemThread();
  SystemThread(const SystemThread&) = delete;
  SystemThread& operator=(const SystemThread&) = delete;
  ~SystemThread();

  // False if the system has none for us.
  bool Start(Main main, void* argument);
  // Waits for its end. Once, after Start().
  void Join();

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// The file with the certificates that the system trusts; empty if there is none.
std::string SystemTrustFile();
// Where the system keeps them in no file: trusts them as well.
void AddSystemTrust(ssl_ctx_st* context);

}  // namespace ohws
