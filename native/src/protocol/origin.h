// May a page of this origin use the server? The list that JavaScript has checked against the Origin header of
// a request (RFC 6454 §6.2, RFC 6455 §10.2). Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ohws {

// Is `origin`, the whole value of the header (empty without one), on the list? Entries are in lower case and
// name no default port. `scheme://*.host` stands for every name below `host` and not for `host` itself,
// `scheme://*` for every host; a port belongs to the entry as to the origin. The empty entry stands for a
// request without the header.
bool IsAllowedOrigin(std::string_view origin, const std::vector<std::string>& allowed);

}  // namespace ohws
