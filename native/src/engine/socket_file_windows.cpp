// Windows: there are none, which OpenStreamSocket() says before anybody comes here. Engine thread.
#include <cerrno>
#include <utility>

#include "engine/socket_file.h"

namespace ohws {

struct SocketFile::Identity {};

SocketFile::SocketFile(std::string path, std::unique_ptr<Identity> identity)
    : path_(std::move(path)), identity_(std::move(identity)) {}

std::unique_ptr<SocketFile> SocketFile::Bind(int, const std::string&, std::optional<uint32_t>) {
  errno = EAFNOSUPPORT;
  return nullptr;
}

SocketFile::~SocketFile() = default;

std::string NameOfLocalSocket(int) { return "unix:"; }

}  // namespace ohws
