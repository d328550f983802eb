// Bytes that the kernel sends from where they lie: a copy in a file without a name, whose pages any number of
// sockets may refer to at once. Nobody writes there again, so what a socket still has to send, or to send
// once more, stays as it is; pages live until the last socket lets them go, whoever owned them. Immutable;
// any thread. Where the system has nothing of the kind, Copy() says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ohws {

class LentMemory {
 public:
  // nullptr if the system cannot, or if so many files are open for it already that descriptors might run out.
  static std::shared_ptr<const LentMemory> Copy(std::span<const uint8_t> bytes);
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;
  ~LentMemory();

  // Gives the socket as much of `size` bytes from `offset` on as it takes now. -1 with errno.
  ptrdiff_t SendTo(int socket, size_t offset, size_t size) const;

 private:
  explicit LentMemory(int fd) : fd_(fd) {}

  [[maybe_unused]] const int fd_;  // of the file, where there are any
};

}  // namespace ohws
