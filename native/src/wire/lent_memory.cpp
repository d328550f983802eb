// Linux: memfd and sendfile(2). Any thread.
#include "wire/lent_memory.h"

#ifdef __linux__
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <atomic>
#endif

#include <cerrno>

namespace ohws {

#ifdef __linux__

namespace {

// Of the process. Slow readers may keep one each.
constexpr int kMostFiles = 64;
std::atomic<int> open_files = 0;

}  // namespace

std::shared_ptr<const LentMemory> LentMemory::Copy(std::span<const uint8_t> bytes) {
  const bool too_many = open_files.fetch_add(1) >= kMostFiles;
  const int fd = too_many ? -1 : memfd_create("ohos-websocket", MFD_CLOEXEC);
  if (fd < 0) {
    open_files.fetch_sub(1);
    return nullptr;
  }
  std::shared_ptr<const LentMemory> lent(new LentMemory(fd));
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written <= 0) return nullptr;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return lent;
}

LentMemory::~LentMemory() {
  close(fd_);
  open_files.fetch_sub(1);
}

ptrdiff_t LentMemory::SendTo(int socket, size_t offset, size_t size) const {
  auto at = static_cast<off_t>(offset);
  // It has no MSG_NOSIGNAL: who calls has SIGPIPE blocked, as the engine's threads have, or ignores it, as
  // Node does. JavaScript's thread gets signals, and that one came is no news of the socket.
  ssize_t sent = -1;
  do {
    sent = sendfile(socket, fd_, &at, size);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

#else

std::shared_ptr<const LentMemory> LentMemory::Copy(std::span<const uint8_t>) { return nullptr; }

LentMemory::~LentMemory() = default;

ptrdiff_t LentMemory::SendTo(int, size_t, size_t) const {
  errno = ENOSYS;
  return -1;
}

#endif

}  // namespace ohws
