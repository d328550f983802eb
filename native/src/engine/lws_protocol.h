// The one place where lws calls us: its callback reasons, each handed to the object it is about. No logic.
// Engine thread.
#pragma once

#include <libwebsockets.h>

namespace ohws {

// For the vhosts of clients (no user pointer) and of listeners (user: ServerListener); valid for ever.
const lws_protocols* Protocols();

}  // namespace ohws
