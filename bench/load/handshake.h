// The opening handshake (RFC 6455 §4), as far as a load generator needs it: no extensions, no
// subprotocols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ohws::bench {

// Sixteen bytes from the operating system's source of randomness, in base64.
std::string MakeKey();

std::string UpgradeRequest(uint16_t port, std::string_view path, std::string_view key);

// The head that accepts such a request.
std::string UpgradeResponse(std::string_view request);

// Looks at what a server has answered so far. Returns the size of the response head once it is
// complete, or 0 while it is not; throws Failure if the answer is anything but a plain, correct
// upgrade. Bytes behind the head are frames.
size_t CheckUpgradeResponse(std::string_view received, std::string_view key);

}  // namespace ohws::bench
