"""Small trees for tidy.py's self-test: each sample is laid over TREE before the check.

BAD samples break one rule, GOOD ones come near to breaking it. (title, rule or None, files)
"""

FOLDERS = "app demo pipeline source journal batch stage warehouse pgoutput schema model observe base"

TREE = {f"src/{folder}/thing.h": "#pragma once\n" for folder in FOLDERS.split()}
TREE["README.md"] = "".join(f"- `src/{folder}/` is a folder\n" for folder in FOLDERS.split())
TREE["src/warehouse/duckdb/engine.h"] = "#pragma once\n"
TREE["src/warehouse/redshift/engine.h"] = "#pragma once\n"


def include(path):
    return f'#include "{path}"\n'


def function(lines, first="void work() {"):
    return first + "\n" + "  step();\n" * (lines - 2) + "}\n"


LONG_METHOD = f"""class Worker final {{
 public:
  Worker() : steps_{{1}}, name_{{"}}"}} {{}}
  {function(71, "void work(int a,").replace("{", "")}
  int steps_;
}};
""".replace("int a,\n", "int a,\n            int b) {\n")

BAD = [
    ("a lower folder includes a higher one", "include",
     {"src/base/low.cc": include("model/thing.h")}),
    ("a stage includes another stage", "include",
     {"src/batch/peer.cc": "#include <journal/thing.h>\n"}),
    ("a stage includes the pipeline", "include",
     {"src/source/up.cc": include("pipeline/thing.h")}),
    ("an engine's header outside warehouse", "include",
     {"src/app/engine.cc": include("warehouse/duckdb/engine.h")}),
    ("an engine includes another engine", "include",
     {"src/warehouse/redshift/engine.cc": include("warehouse/duckdb/engine.h")}),
    ("a room includes one above it", "include",
     {"src/source/connection/thing.h": include("source/stream/thing.h")}),
    ("a room includes its folder's own files", "include",
     {"src/source/setup/thing.cc": include("source/source.h")}),
    ("what is for tests in the program", "include",
     {"src/base/thing.cc": include("base/testing/disk.h")}),
    ("an include from beside", "include", {"src/base/low.cc": include("thing.h")}),
    ("an include from above", "include", {"src/base/low.cc": include("../model/thing.h")}),
    ("a folder nobody has placed", "include",
     {"src/other/thing.h": "", "README.md": TREE["README.md"] + "`src/other`\n"}),
    ("CMake uses upwards", "include",
     {"src/model/CMakeLists.txt": "layer(model\n  SOURCES a.cc\n  USES base\n    schema\n)\n"}),
    ("a long file", "file", {"src/base/long.cc": "// A line.\n" * 501}),
    ("a long script", "file", {"tools/long": "#!/bin/bash\n" + "true\n" * 500}),
    ("a long function", "function", {"src/base/long.cc": function(71)}),
    ("a long function in a namespace", "function",
     {"src/base/long.cc": "namespace {\n" + function(
         71, "template <class T>\nconst Foo& Bar<T>::work(T t) noexcept {") + "}  // namespace\n"}),
    ("a long method", "function", {"src/base/long.h": LONG_METHOD}),
    ("a long test", "function", {"src/base/long_test.cc": function(71, "TEST(Long, Is) {")}),
    ("a long constructor", "function",
     {"src/base/long.cc": function(71, "A::A(int a)\n    : a_{a}, b_(f({a})), c_{} {")}),
    ("a long Python function", "function",
     {"tools/long.py": "def work():\n" + "    step()\n" * 70}),
    ("braces that do not match", "function", {"src/base/open.cc": "void f() {\n"}),
    ("a manager", "name", {"src/base/name.h": "class SlotManager final : public Slot {};\n"}),
    ("a base", "name", {"src/base/name.h": "template <class T>\nstruct SinkBase {\n};\n"}),
    ("utilities", "name", {"src/base/name.h": "struct StringUtils;\nstruct StringUtils {};\n"}),
    ("an alias that is data", "name", {"src/base/name.h": "using RowData = int;\n"}),
    ("an enum that is information", "name", {"src/base/name.h": "enum class SlotInfo : int {};\n"}),
    ("a folder that README.md leaves out", "readme", {"README.md": "`src/base/`\n"}),
    ("a folder that is not there", "readme", {"README.md": TREE["README.md"] + "`src/gone/`\n"}),
    ("a call in a comment", "comment", {"src/base/old.cc": "// writer.close();\n"}),
    ("a call through a pointer in a comment", "comment",
     {"src/base/old.cc": "  // writer_->close(first, 2);\n"}),
    ("a statement in a comment", "comment", {"src/base/old.cc": "// return a + b;\n"}),
    ("a condition in a comment", "comment", {"src/base/old.cc": "// if (a > b) {\n"}),
    ("code behind #if 0", "comment", {"src/base/old.cc": "#if 0\n#endif\n"}),
    ("a task without an issue", "comment", {"src/base/task.cc": "int a;  // TODO: later\n"}),
    ("a fixme", "comment", {"tools/task": "#!/bin/sh\ntrue # FIXME\n"}),
    ("a home folder", "path", {"docs/a.md": "see /home/somebody/notes\n"}),
    ("a working folder", "path", {"tools/a.cmake": 'set(A "/workspace")\n'}),
    ("a folder beside the checkout", "path", {"docs/a.md": "see ../beside/a\n"}),
    ("a registry's address", "path", {"a.json": '{"resolved": "https://registry.example/a"}\n'}),
    ("an exception without a reason", "exception",
     {"src/base/long.cc": function(71), "tests/tidy/exceptions.txt":
      "function src/base/long.cc:work\n"}),
    ("an exception that excuses nothing", "exception",
     {"tests/tidy/exceptions.txt": "function src/base/long.cc:work It is a table.\n"}),
]

GOOD = [
    ("rooms that include downwards", None,
     {"src/source/stream/thing.cc": include("source/connection/thing.h")
      + include("source/settings.h"),
      "src/source/source.cc": include("source/stream/thing.h"),
      "src/source/setup/thing_test.cc": include("source/testing/server.h")}),
    ("includes that point down", None,
     {"src/app/main.cc": include("warehouse/thing.h") + include("pipeline/thing.h"),
      "src/batch/fold.cc": include("pgoutput/thing.h") + include("batch/thing.h"),
      "src/warehouse/open.cc": include("warehouse/duckdb/engine.h"),
      "src/warehouse/duckdb/engine.cc": include("warehouse/thing.h") + include("base/thing.h"),
      "src/base/low.cc": "#include <libpq-fe.h>\n" + include("absl/strings/str_cat.h")}),
    ("uses that point down", None,
     {"src/app/CMakeLists.txt": "layer(app SOURCES a.cc USES base pipeline LIBRARIES fmt::fmt)\n"}),
    ("a long file with its exception", None,
     {"src/base/table.cc": "// A line.\n" * 501,
      "tests/tidy/exceptions.txt": "# Why.\n\nfile src/base/table.cc A generated table.\n"}),
    ("the longest function", None, {"src/base/long.cc": function(70)}),
    ("long things that are not functions", None,
     {"src/base/long.cc": "constexpr int kTable[] = {\n" + "    1'000,\n" * 80 + "};\n"
      + "class Wide {\n" + "  void f() const { g('}', \"{\"); }\n" * 80 + "};\n"
      + "const Sql kSql = make(R\"(\n" + "{\n" * 80 + ")\");\n"}),
    ("names with such words inside", None,
     {"src/base/name.h": "struct Database {};\nclass DataReader;\nstruct MHD_Info;\n"
      "enum class Metadata { kInfo };\n"}),
    ("prose in comments", None,
     {"src/base/prose.h": "// The writer may call close() before; it is then a reader's turn.\n"
      "// for every row, and if it is the last one, twice.\n// TODO(#12): say more.\n"
      "// CREATE TABLE t (a int);\n"}),
    ("ordinary paths", None,
     {"docs/a.md": "/var/lib/re_dms and /usr/lib, http://127.0.0.1:9847/metrics, a/home/b, "
      "~/home, rooted/home, ../README.md\n"}),
]
