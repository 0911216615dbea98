// What every thread of ours does first.
#pragma once

#include <string_view>

namespace re_dms {

/// The first line of a thread's function: its name, as debuggers and `ps -L` show it (15 characters
/// count), and use_signal_stack().
void begin_thread(std::string_view name);

/// From now on handlers with SA_ONSTACK run on a stack of their own in this thread, so that one
/// that has used up its stack can still say where. It ends with the thread. A thread that has such
/// a stack already keeps it; one for which there is no memory goes without.
void use_signal_stack();

}  // namespace re_dms
