// No descriptor to watch: the engine has a thread of its own here.
#include "addon/loop_watch.h"

namespace ohws {

LoopWatch* LoopWatch::Start(napi_env, int, OnReadable) { return nullptr; }

void LoopWatch::SetRef(bool) {}

void LoopWatch::Close() {}

}  // namespace ohws
