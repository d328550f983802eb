// Files, and abstract names. Engine thread.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "engine/socket_file.h"
#include "engine/sockets.h"

namespace ohws {

namespace {

constexpr size_t kPathAt = offsetof(sockaddr_un, sun_path);

bool IsAbstract(const std::string& path) { return path.front() == '\0'; }

// 0 if there is no room for it. A file's name has its NUL behind, an abstract one before.
socklen_t Fill(SocketAddress& address, const std::string& path) {
  const size_t size = path.size() + (IsAbstract(path) ? 0 : 1);
  if (size > sizeof(address.local.sun_path)) return 0;
  address.local.sun_family = AF_UNIX;
  path.copy(address.local.sun_path, path.size());
  return static_cast<socklen_t>(kPathAt + size);
}

// A socket file that nobody listens on any more, as a server leaves it that was killed. Anything else stays.
bool RemoveStaleFile(const SocketAddress& address, socklen_t size) {
  struct stat status {};
  if (lstat(address.local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const int socket = OpenStreamSocket(AF_UNIX);
  if (socket < 0) return false;
  const bool refused = !ConnectSocket(socket, address, size) && errno == ECONNREFUSED;
  CloseSocket(socket);
  return refused && unlink(address.local.sun_path) == 0;
}

}  // namespace

struct SocketFile::Identity {
  dev_t device;
  ino_t inode;
};

SocketFile::SocketFile(std::string path, std::unique_ptr<Identity> identity)
    : path_(std::move(path)), identity_(std::move(identity)) {}

std::unique_ptr<SocketFile> SocketFile::Bind(int socket, const std::string& path,
                                             std::optional<uint32_t> mode) {
  SocketAddress address{};
  const socklen_t size = Fill(address, path);
  if (size == 0) {
    errno = ENAMETOOLONG;
    return nullptr;
  }
#ifndef __linux__
  if (IsAbstract(path)) {
    errno = EADDRNOTAVAIL;
    return nullptr;
  }
#endif
  // Before the file is there, so that it is never open to more than it shall be.
  if (mode.has_value()) fchmod(socket, static_cast<mode_t>(*mode));
  if (!BindSocket(socket, address, size)) {
    const int error_number = errno;
    const bool retry = error_number == EADDRINUSE && !IsAbstract(path) && RemoveStaleFile(address, size);
    errno = error_number;
    if (!retry || !BindSocket(socket, address, size)) return nullptr;
  }
  // NOLINTBEGIN(cppcoreguidelines-owning-memory): the constructor is private
  if (IsAbstract(path)) return std::unique_ptr<SocketFile>(new SocketFile(path, nullptr));
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return nullptr;
  auto identity = std::make_unique<Identity>(Identity{status.st_dev, status.st_ino});
  auto file = std::unique_ptr<SocketFile>(new SocketFile(path, std::move(identity)));
  // NOLINTEND(cppcoreguidelines-owning-memory)
  if (mode.has_value() && chmod(path.c_str(), static_cast<mode_t>(*mode)) != 0) {
    const int error_number = errno;
    file.reset();
    errno = error_number;
  }
  return file;
}

SocketFile::~SocketFile() {
  struct stat status {};
  if (identity_ != nullptr && lstat(path_.c_str(), &status) == 0 && status.st_dev == identity_->device &&
      status.st_ino == identity_->inode) {
    unlink(path_.c_str());
  }
}

std::string NameOfLocalSocket(int socket) {
  SocketAddress address{};
  const socklen_t size = LocalAddressOf(socket, address);
  if (size <= kPathAt) return "unix:";
  std::string name(address.local.sun_path, size - kPathAt);
  if (name.front() == '\0') return "unix:@" + name.substr(1);
  return "unix:" + name.substr(0, name.find('\0'));
}

}  // namespace ohws
