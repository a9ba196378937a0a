const LESSONS = {};
