"""Prints what watchdog tells of a directory and all below, one change a line."""
import sys
from watchdog.events import FileSystemEventHandler
from watchdog.observers.inotify import InotifyObserver


class Print(FileSystemEventHandler):
    def on_any_event(self, event):
        kind = event.event_type + (" directory" if event.is_directory else "")
        print(kind, event.src_path, getattr(event, "dest_path", ""), flush=True)


observer = InotifyObserver()
observer.schedule(Print(), sys.argv[1], recursive=True)
observer.start()
observer.join()
