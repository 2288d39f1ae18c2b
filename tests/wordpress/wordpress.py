"""Debian's WordPress with the theme that comes with it, on loopback: its own database server, PHP's own web server."""

import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

PROGRAM = Path("/usr/share/wordpress")
THEMES = PROGRAM / "wp-content" / "themes"
THEME = "twentytwentythree"
DOCS = Path(__file__).parents[2] / "docs" / "embeds.md"
# As strict as WordPress itself can live with: it writes styles and scripts into its pages. Of us it knows one origin.
POLICY = (
    "default-src 'self'; img-src 'self' data:; font-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' {us}; connect-src 'self' {us}"
)
CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{site}'); define('WP_SITEURL', '{site}');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY'] as $name) define($name, 'loopback only');
foreach (['AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as $name) define($name, 'loopback only');
$table_prefix = 'wp_';
define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '{host}';
require __DIR__ . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('The Harbour Post', 'desk', 'desk@example.org', true, '', 'loopback only');
switch_theme('{theme}');
$city = wp_create_category('City');
$words = str_repeat("<p>The harbour was dredged twice on paper and once in life, and somebody was paid.</p>\\n", 40);
$made = wp_insert_post(['post_title' => 'The harbour', 'post_content' => $words, 'post_status' => 'publish',
    'post_category' => [$city], 'tags_input' => ['harbour', 'money'], 'comment_status' => 'closed'], true);
echo get_permalink($made);
"""


class WordPress:
    """A site with one article, under a strict policy, with what our documents tell newsrooms to put into it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.site = folder, f"http://127.0.0.1:{port}"
        self._port, self._socket = port, folder / "db.sock"
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Install it; `article` is the address of the article then, of which we are not a part yet."""
        root = self.folder / "site"
        shutil.copytree(PROGRAM, root, symlinks=False, ignore_dangling_symlinks=True)
        (root / "wp-content" / "mu-plugins").mkdir(parents=True)
        (root / "wp-config.php").write_text(CONFIG.format(socket=self._socket, site=self.site))
        install = INSTALL.replace("{host}", self.site.removeprefix("http://")).replace("{theme}", THEME)
        (root / "install.php").write_text(install)
        data = self.folder / "db"
        self._call("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root",
                   "--auth-root-authentication-method=normal", "--skip-test-db")  # fmt: skip
        self._begin("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self._socket}", "--user=root",
                    "--skip-networking", f"--pid-file={self.folder / 'db.pid'}")  # fmt: skip
        self._wait(lambda: self._call("mariadb-admin", "--no-defaults", f"--socket={self._socket}", "-uroot", "ping"))
        self._call("mariadb", "--no-defaults", f"--socket={self._socket}", "-uroot", "-e", "CREATE DATABASE wordpress")
        self._begin("php", "-d", "display_errors=stderr", "-S", f"127.0.0.1:{self._port}", "-t", str(root))
        self._wait(lambda: socket.create_connection(("127.0.0.1", self._port), 1).close())
        self.article = self._call("php", "-d", "display_errors=stderr", str(root / "install.php")).strip()
        (root / "install.php").unlink()

    def join(self, us: str) -> None:
        """Put into it what the documents say, with `us` for the address of the membership site."""
        code = re.search(r"```php\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
        assert code is not None, "docs/embeds.md shows no PHP any more."
        plugin = "<?php\nadd_action('send_headers', fn () => header(\"Content-Security-Policy: " + POLICY.format(us=us)
        plugin += "\"));\nadd_action('wp_head', function () {\n"
        plugin += "    echo '<style>reader-badge { display: block; min-height: 1.75rem }</style>';\n});\n"
        plugin += code.group(1).replace("https://JOIN", us)
        (self.folder / "site" / "wp-content" / "mu-plugins" / "readers.php").write_text(plugin)

    def leave(self) -> None:
        """Take it out again."""
        (self.folder / "site" / "wp-content" / "mu-plugins" / "readers.php").unlink()

    def end(self) -> None:
        """End what was begun, by its own id."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _begin(self, *command: str) -> None:
        log = (self.folder / f"{Path(command[0]).name}.log").open("wb")
        self._running.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder))
        log.close()

    def _call(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=self.folder, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
        return done.stdout

    def _wait(self, answers, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(OSError, RuntimeError):
                answers()
                return
            time.sleep(0.2)
        raise RuntimeError("It did not start: " + " ".join(f.read_text()[-500:] for f in self.folder.glob("*.log")))


def is_installed() -> bool:
    """Whether this machine has it."""
    return (THEMES / THEME).is_dir() and bool(shutil.which("php") and shutil.which("mariadbd"))


def read(address: str) -> str:
    """What a page says."""
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - loopback
        return answer.read().decode()
