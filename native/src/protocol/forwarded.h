// Who is behind proxies: the headers X-Forwarded-For and Forwarded (RFC 7239), as far as they can be
// believed. Each proxy adds at the right end whom it was connected by; so the list is read from there, as
// long as the one who said it is a trusted proxy. What is left of that, the client may have made up. Pure
// functions; any thread.
#pragma once

#include <span>
#include <string_view>

#include "protocol/ip_network.h"

namespace ohws {

// The first address from the right that is no trusted proxy, or the last one that can be read: what is
// malformed, unknown or hidden ends the search, and the proxy that said so stands for its client. `peer` is
// the other end of the TCP connection; one that is not trusted is the answer itself. `value` is the header's,
// several lines joined with commas.
IpAddress ClientOfForwardedFor(const IpAddress& peer, std::string_view value,
                               std::span<const IpNetwork> trusted);
IpAddress ClientOfForwarded(const IpAddress& peer, std::string_view value,
                            std::span<const IpNetwork> trusted);

}  // namespace ohws
