#pragma once

// Another program in this process: pid, parent, children and the role of a subreaper stay, all threads but ours end.

#include <string>
#include <vector>

namespace hsu {

// Does not return where it succeeds. Descriptors stay open that are not close-on-exec, and `kept` besides; a process that waits at
// its gate is turned away. An errno: nothing has changed. To be called by the main thread, which the kernel makes the only one.
int replace_program(const std::string& file, const std::vector<std::string>& argv, const std::vector<std::string>& env,
                    const std::vector<int>& kept);

}  // namespace hsu
