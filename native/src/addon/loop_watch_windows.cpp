// No descriptor to watch: the engine has a thread of its own here.
#include "addon/loop_watch.h"

namespace ohws {

LoopWatch* LoopWatch::Start(napi_env, int, std::function<void()>) { return nullptr; }

void LoopWatch::SetRef(bool) {}

void LoopWatch::Close() {}

}  // namespace ohws
