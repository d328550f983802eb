// The name of a listening socket of this machine (AF_UNIX): a file, or on Linux a name in the abstract space.
// Implemented by socket_file_posix.cpp and socket_file_windows.cpp, which has none. Engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ohws {

class SocketFile {
 public:
  // Binds the socket to a file, or to the abstract name behind a NUL. Null if it cannot be, with errno.
  static std::unique_ptr<SocketFile> Bind(int socket, const std::string& path, std::optional<uint32_t> mode);
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  // Removes the file, unless another has its place.
  ~SocketFile();

 private:
  struct Identity;
  SocketFile(std::string path, std::unique_ptr<Identity> identity);

  const std::string path_;
  const std::unique_ptr<const Identity> identity_;  // null for an abstract name
};

// "unix:" and the path that the socket is bound to; after an @ the abstract name.
std::string NameOfLocalSocket(int socket);

}  // namespace ohws
