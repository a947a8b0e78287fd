// The message box. It keeps what is typed in the browser until the server has taken it.
export default {
  props: { words: Object, limit: Number, running: Boolean, draft: String, pictures: Object },
  emits: ["ask", "stop"],
  template: `
    <div v-if="images.length" class="dz-pictures">
      <div v-for="(image, i) in images" :key="i" class="dz-picture">
        <img :src="image" :alt="words.picture" />
        <button type="button" :aria-label="words.remove" :title="words.remove" @click="images.splice(i, 1)">×</button>
      </div>
    </div>
    <div class="dz-composer" :class="{ 'dz-composer-over': over }">
      <q-btn v-if="pictures.most" round flat icon="add_photo_alternate" class="dz-add-picture"
        :aria-label="words.add" :title="words.add" @click="$refs.files.click()" />
      <input v-if="pictures.most" ref="files" type="file" accept="image/png,image/jpeg,image/webp,image/gif"
        multiple hidden @change="chosen" />
      <textarea ref="area" rows="1" v-model="text" autocomplete="off" enterkeyhint="enter"
        :placeholder="words.placeholder" :aria-label="words.placeholder" @keydown="key" @paste="pasted"></textarea>
      <q-btn v-if="running" round unelevated icon="stop" class="dz-stop"
        :aria-label="words.stop" :title="words.stop" @click="$emit('stop')" />
      <q-btn v-else round unelevated icon="arrow_upward" class="dz-send" :disable="over"
        :aria-label="words.send" :title="words.send" @click="send" />
    </div>
    <div class="dz-composer-hint" role="alert">{{ hint }}</div>
  `,
  data() {
    return {
      text: sessionStorage.getItem(this.draft) || "", note: "", waiting: false, near: true,
      images: [], sent: [],
    };
  },
  computed: {
    // As the server counts: code points, not UTF-16 units.
    length() {
      return this.text.length > this.limit / 2 ? Array.from(this.text).length : this.text.length;
    },
    over() {
      return this.length > this.limit;
    },
    hint() {
      if (this.over) return this.words.too_long.replace("{n}", this.length).replace("{limit}", this.limit);
      return this.note;
    },
  },
  watch: {
    text(value) {
      this.note = "";
      try {
        if (value) sessionStorage.setItem(this.draft, value);
        else sessionStorage.removeItem(this.draft);
      } catch {
        // Too long to keep over a reload: it still is in the box.
      }
      this.$nextTick(this.grow);
    },
    running() {
      this.waiting = false;
      this.busyAt = Date.now();
    },
  },
  mounted() {
    this.grow();
    if (matchMedia("(pointer: fine)").matches) this.$refs.area.focus();
    // Keep the newest words in sight unless the reader has scrolled away from them.
    const away = () => document.documentElement.scrollHeight - innerHeight - scrollY;
    this.watchScroll = () => (this.near = away() < 120);
    addEventListener("scroll", this.watchScroll, { passive: true });
    // A card that the reader opens must not move the page, so only while words come, and for as long
    // afterwards as a chart takes to be drawn.
    this.busyAt = Date.now();
    this.observer = new ResizeObserver(() => {
      const coming = this.running || Date.now() - this.busyAt < 1500;
      if (this.near && coming) scrollTo(0, document.documentElement.scrollHeight);
    });
    const log = document.querySelector(".dz-log");
    if (log) this.observer.observe(log);
  },
  unmounted() {
    removeEventListener("scroll", this.watchScroll);
    this.observer.disconnect();
  },
  methods: {
    key(event) {
      const composing = event.isComposing || event.keyCode === 229; // an input method's Enter
      const touch = matchMedia("(pointer: coarse)").matches;
      if (event.key !== "Enter" || event.shiftKey || composing || touch) return;
      event.preventDefault();
      this.send();
    },
    send() {
      if (this.over || this.waiting) return;
      if (this.running) {
        this.note = this.words.busy;
        return;
      }
      if (!this.text.trim() && !this.images.length) {
        this.note = this.words.empty;
        return;
      }
      this.waiting = true;
      setTimeout(() => (this.waiting = false), 8000);
      this.$emit("ask", { text: this.text, images: this.images });
    },
    grow() {
      const area = this.$refs.area;
      if (!area) return;
      area.style.height = "auto";
      area.style.height = `${Math.min(area.scrollHeight, 180)}px`;
    },
    follow() {
      this.near = true;
      scrollTo(0, document.documentElement.scrollHeight);
    },
    chosen(event) {
      this.add([...event.target.files]);
      event.target.value = "";
    },
    pasted(event) {
      const files = [...event.clipboardData.files].filter((f) => f.type.startsWith("image/"));
      if (!files.length || !this.pictures.most) return;
      event.preventDefault();
      this.add(files);
    },
    // Made small enough for the page's socket: a picture of text stays legible at this size.
    async add(files) {
      for (const file of files) {
        if (this.images.length >= this.pictures.most) {
          this.note = this.words.most;
          return;
        }
        try {
          this.images.push(await this.shrunk(file));
        } catch {
          this.note = this.words.unreadable.replace("{name}", file.name);
        }
      }
    },
    async shrunk(file) {
      const bitmap = await createImageBitmap(file);
      let side = this.pictures.side;
      for (;;) {
        const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
        const canvas = document.createElement("canvas");
        canvas.width = Math.max(1, Math.round(bitmap.width * scale));
        canvas.height = Math.max(1, Math.round(bitmap.height * scale));
        const drawing = canvas.getContext("2d");
        drawing.fillStyle = "#fff";
        drawing.fillRect(0, 0, canvas.width, canvas.height);
        drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        const made = canvas.toDataURL("image/jpeg", 0.85);
        if (made.length <= this.pictures.chars || side < 200) return made;
        side *= 0.8;
      }
    },
    // The server has taken the question.
    taken() {
      this.sent = this.images;
      this.images = [];
      this.text = "";
      this.waiting = false;
    },
    refused(note) {
      this.waiting = false;
      this.$nextTick(() => (this.note = note));
    },
    // Give back what could not be answered, unless something new is being typed.
    giveBack(text) {
      this.waiting = false;
      if (this.text || this.images.length) return;
      this.text = text;
      this.images = this.sent;
    },
    fill(text) {
      this.text = text;
      this.$nextTick(() => this.$refs.area.focus());
    },
  },
};
